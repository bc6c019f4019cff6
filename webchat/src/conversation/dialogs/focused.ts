/** What has the focus when a dialog opens. The browser's own choice would be the button that closes it. */

import { useEffect, useRef, type RefObject } from "react";

/** For the view around the dialog: its effects come after those of what it holds. */
export function useFocused<Of extends HTMLElement>(): RefObject<Of | null> {
  const element = useRef<Of>(null);
  useEffect(() => element.current?.focus(), []);
  return element;
}
