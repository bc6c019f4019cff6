/** How much the server takes: asked once in a while, so that what does not fit is refused before it travels. */

import type { Rest } from "@amtrio/client";

export type UploadRoom = Awaited<ReturnType<Rest["uploadRoom"]>>;

// What is used changes with every upload, limits do not; a minute is fresh enough for a refusal in words.
const FRESH_MS = 60_000;
/** Of a server that was not asked yet. Source: docs/protocol.md, `attachment_ids`. */
export const USUAL_MAX_PER_MESSAGE = 10;

const asked = new WeakMap<Rest, { readonly at: number; readonly answer: Promise<UploadRoom | undefined> }>();

/** Undefined if the server cannot be asked now. */
export function roomOn(rest: Rest): Promise<UploadRoom | undefined> {
  const known = asked.get(rest);
  if (known !== undefined && Date.now() - known.at < FRESH_MS) return known.answer;
  const answer = rest.uploadRoom().catch(() => {
    asked.delete(rest);
    return undefined;
  });
  asked.set(rest, { at: Date.now(), answer });
  return answer;
}
