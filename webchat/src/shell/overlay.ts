/** Which dialog of the shell is open: one at most. */

import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

export type Overlay = "palette" | "shortcuts" | "new-chat" | "sign-out";

const overlay = createStore<{ readonly open: Overlay | null }>(() => ({ open: null }));

export function openOverlay(which: Overlay): void {
  overlay.setState({ open: which });
}

export function closeOverlay(): void {
  overlay.setState({ open: null });
}

export function useOverlay(): Overlay | null {
  return useStore(overlay, (state) => state.open);
}
