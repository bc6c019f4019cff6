/** Addresses of files, asked for once and kept for as long as they are good. */

import type { Attachment } from "@amtrio/client";
import { useCallback, useEffect, useState } from "react";
import { useActions, type Actions } from "../engine/actions.ts";
import { isSealed } from "../engine/sealed-files.ts";

export type FileUrlKind = "file" | "thumbnail";

// Links are good for 15 minutes (docs/protocol.md, "Attachments"); what was begun shall also come to its end.
const GOOD_MS = 10 * 60_000;
const caches = new WeakMap<Actions, Map<string, { readonly at: number; readonly url: Promise<string> }>>();

export function fileUrl(actions: Actions, attachment: Attachment, kind: FileUrlKind): Promise<string> {
  // The engine keeps what it has opened, and knows when it has let go of it.
  if (isSealed(attachment)) return actions.fileUrl(attachment, kind);
  const cache = caches.get(actions) ?? new Map();
  caches.set(actions, cache);
  const key = `${kind} ${attachment.attachment_id}`;
  const known = cache.get(key);
  if (known !== undefined && Date.now() - known.at < GOOD_MS) return known.url;
  const url = actions.fileUrl(attachment, kind);
  cache.set(key, { at: Date.now(), url });
  url.catch(() => cache.delete(key));
  return url;
}

export interface FileUrl {
  /** Undefined while it is asked for. */
  readonly url: string | undefined;
  readonly isBroken: boolean;
  /** Why, as a word of `words.ts`: what came is not what was sent, or it is for no reason that is known. */
  readonly why: "unavailable" | "tampered";
  /** For `onError`: the address was no good. It is asked for anew once; then it counts as broken. */
  readonly fail: () => void;
  readonly retry: () => void;
}

export function useFileUrl(attachment: Attachment, kind: FileUrlKind): FileUrl {
  const actions = useActions();
  const [asked, setAsked] = useState(0);
  const [url, setUrl] = useState<string>();
  const [isBroken, setIsBroken] = useState(false);
  const [why, setWhy] = useState<FileUrl["why"]>("unavailable");
  const id = attachment.attachment_id;

  useEffect(() => {
    let isWanted = true;
    fileUrl(actions, attachment, kind).then(
      (found) => isWanted && setUrl(found),
      (error: unknown) => {
        if (!isWanted) return;
        setWhy((error as { code?: unknown }).code === "file_tampered" ? "tampered" : "unavailable");
        setIsBroken(true);
      },
    );
    return () => {
      isWanted = false;
    };
    // The attachment is told by its id: messages are other objects after every change.
    // oxlint-disable-next-line react/exhaustive-deps -- told by its id
  }, [actions, id, kind, asked]);

  const again = useCallback(() => {
    caches.get(actions)?.delete(`${kind} ${id}`);
    setUrl(undefined);
    setIsBroken(false);
    setWhy("unavailable");
    setAsked((before) => before + 1);
  }, [actions, id, kind]);

  const fail = useCallback(() => {
    if (asked === 0) again();
    else setIsBroken(true);
  }, [again, asked]);

  return { url, isBroken, why, fail, retry: again };
}

/** Let the browser save it under its name. */
export async function download(actions: Actions, attachment: Attachment): Promise<void> {
  const link = document.createElement("a");
  link.href = await fileUrl(actions, attachment, "file");
  link.download = attachment.filename;
  link.click();
}
