/** How high the composer is with its tray and notices, as `--foot` of the page: what lies over the page keeps clear of it. */

import { useLayoutEffect, type RefObject } from "react";

export function useFoot(section: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const { style } = document.documentElement;
    const watcher = new ResizeObserver(() => style.setProperty("--foot", `${section.current?.offsetHeight ?? 0}px`));
    watcher.observe(section.current!);
    return () => {
      watcher.disconnect();
      style.removeProperty("--foot");
    };
  }, [section]);
}
