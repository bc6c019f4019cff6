/** When the field takes the focus by itself: a chat is opened, a message is answered or changed, a file came or went. */

import { useEffect, useRef, type RefObject } from "react";
import { useBegunIntent } from "../conversation/intent.ts";
import { isTouch } from "./keys.ts";

export function useFieldFocus(field: RefObject<HTMLTextAreaElement | null>, conversationId: string, fileCount: number): void {
  const intent = useBegunIntent(conversationId);
  useEffect(() => {
    // On touch it would raise the keyboard over what one came to read.
    if (!isTouch() && document.querySelector("dialog[open]") === null) field.current!.focus({ preventScroll: true });
  }, [field]);
  useEffect(() => {
    if (intent === undefined) return;
    const end = field.current!.value.length;
    field.current!.focus();
    field.current!.setSelectionRange(end, end);
  }, [field, intent]);
  const before = useRef(fileCount);
  useEffect(() => {
    if (fileCount === before.current) return;
    before.current = fileCount;
    const { activeElement, body } = document;
    // What one says about a file comes next. It was chosen, let fall, or taken out with a button that is gone.
    const isFree = activeElement === body || field.current!.closest("section")!.contains(activeElement);
    if (isFree && !isTouch()) field.current!.focus({ preventScroll: true });
  }, [field, fileCount]);
}
