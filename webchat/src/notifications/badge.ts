/** The number on the icon of the installed app. */

import type { StoreApi } from "zustand/vanilla";
import type { ChatState } from "../engine/state.ts";
import { unreadTotal } from "./muted.ts";

export function keepBadge(store: StoreApi<ChatState>): () => void {
  if (navigator.setAppBadge === undefined) return () => undefined;
  let shown = -1;
  const draw = ({ conversations }: ChatState): void => {
    const count = unreadTotal(conversations);
    if (count === shown) return;
    shown = count;
    const done = count === 0 ? navigator.clearAppBadge() : navigator.setAppBadge(count);
    // Refused where the app is not installed.
    done.catch(() => undefined);
  };
  draw(store.getState());
  return store.subscribe((state, before) => {
    if (state.conversations !== before.conversations) draw(state);
  });
}
