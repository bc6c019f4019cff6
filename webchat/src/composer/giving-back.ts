/** What was written and did not get where it was to go, or was taken back: it returns to the field it came from. */

import { notify } from "../design/toast.tsx";
import type { Actions } from "../engine/actions.ts";
import { chat } from "../engine/state.ts";
import { sayNow } from "../i18n/words.ts";
import { words } from "./words.ts";
import { keepWriting } from "./writing.ts";

// What was written is gone if the button is missed: time enough to read and to reach it.
export const UNDO_MS = 20_000;

interface Returned {
  readonly conversationId: string;
  readonly text: string;
  /** Why it comes back; for people. */
  readonly said: string;
  readonly tone?: "plain" | "bad";
}

/** Into the field if nothing is written there; otherwise it is offered. */
export function giveBack({ conversationId, text, said, tone = "plain" }: Returned, actions: Actions): void {
  keepWriting(conversationId);
  const isFree = draftOf(conversationId) === "";
  if (isFree && text !== "") actions.setDraft(conversationId, text);
  if (isFree || text === "") return void notify({ text: said, tone });
  const action = { label: sayNow(words, "putBack"), run: () => addToDraft(conversationId, text, actions) };
  notify({ text: said, tone, action, forMs: UNDO_MS });
}

/** Below what is written there already. */
function addToDraft(conversationId: string, text: string, actions: Actions): void {
  keepWriting(conversationId);
  const draft = draftOf(conversationId);
  actions.setDraft(conversationId, draft === "" ? text : `${draft}\n\n${text}`);
}

function draftOf(conversationId: string): string {
  return chat.getState().drafts[conversationId] ?? "";
}
