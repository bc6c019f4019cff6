/** What a paste means: files, text that is long enough to be one, or plain text (which the browser does alone). */

import { isLongPaste } from "./limits.ts";

export type Paste =
  | { readonly kind: "files"; readonly files: readonly File[] }
  | { readonly kind: "long"; readonly text: string };

export function pasteOf(clipboard: DataTransfer): Paste | undefined {
  const files = [...clipboard.files];
  const text = clipboard.getData("text/plain");
  // Office programs put a picture of the words beside the words.
  const isOffice = text !== "" && clipboard.getData("text/html") !== "";
  if (files.length > 0 && !isOffice) return { kind: "files", files };
  return isLongPaste(text) ? { kind: "long", text } : undefined;
}
