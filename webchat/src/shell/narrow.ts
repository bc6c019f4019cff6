/** Whether there is room for one pane only. Layout itself is CSS (`shell.module.css` has the same width). */

import { useSyncExternalStore } from "react";

const NARROW = "(max-width: 760px)";

export function useIsNarrow(): boolean {
  return useSyncExternalStore(listen, () => matchMedia(NARROW).matches);
}

function listen(changed: () => void): () => void {
  const query = matchMedia(NARROW);
  query.addEventListener("change", changed);
  return () => query.removeEventListener("change", changed);
}
