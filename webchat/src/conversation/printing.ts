/** Whether the page is being printed: then all rows are drawn, as paper cannot be scrolled. Its reader stays in place. */

import { useEffect, useState, type RefObject } from "react";
import { flushSync } from "react-dom";
import type { Following } from "./following.ts";

export function useIsPrinting(scroller: RefObject<HTMLDivElement | null>, follower: RefObject<Following | undefined>): boolean {
  const [isPrinting, setPrinting] = useState(false);
  useEffect(() => {
    let wasFollowing = false;
    let top = 0;
    const begin = (): void => {
      wasFollowing = follower.current?.isOn() ?? false;
      // Drawn before the browser looks at the page, which it does right after.
      flushSync(() => setPrinting(true));
      top = scroller.current?.scrollTop ?? 0;
    };
    const end = (): void => {
      flushSync(() => setPrinting(false));
      // On paper nothing is scrolled, which is how the list comes back from there.
      requestAnimationFrame(() => {
        if (wasFollowing) follower.current?.start();
        else scroller.current?.scrollTo({ top });
      });
    };
    addEventListener("beforeprint", begin);
    addEventListener("afterprint", end);
    return () => {
      removeEventListener("beforeprint", begin);
      removeEventListener("afterprint", end);
    };
  }, [scroller, follower]);
  return isPrinting;
}
