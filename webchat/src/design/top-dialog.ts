/** The dialog that lies over all others. Nothing outside of it can be used, nor is it read out. */

import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

const dialogs = createStore<{ readonly open: readonly HTMLDialogElement[] }>(() => ({ open: [] }));

/** It has just been opened. Returns how to say that it is closed. */
export function raise(dialog: HTMLDialogElement): () => void {
  dialogs.setState(({ open }) => ({ open: [...open, dialog] }));
  return () => dialogs.setState(({ open }) => ({ open: open.filter((each) => each !== dialog) }));
}

/** Undefined: none is open. */
export function useTopDialog(): HTMLDialogElement | undefined {
  return useStore(dialogs, ({ open }) => open.at(-1));
}
