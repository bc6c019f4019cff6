/** Of which row the menu is open, and where: one menu for the whole list. */

import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

export interface RowMenuAt {
  readonly conversationId: string;
  /** Gets the focus back. */
  readonly opener: HTMLElement;
  /** In pixels of the window; absent: at its opener. */
  readonly point?: { readonly x: number; readonly y: number };
}

const menu = createStore<{ readonly at: RowMenuAt | null }>(() => ({ at: null }));

export function openRowMenu(at: RowMenuAt): void {
  menu.setState({ at });
}

export function closeRowMenu(): void {
  menu.setState({ at: null });
}

export function useRowMenu(): RowMenuAt | null {
  return useStore(menu, (state) => state.at);
}

/** For the button that opened it. */
export function useIsRowMenuOpen(conversationId: string): boolean {
  return useStore(menu, (state) => state.at?.conversationId === conversationId);
}
