/** A menu that floats beside a point or an element, inside the window, from the moment it is drawn. Part of lazy chunks. */

import { Menu, useMenuStore } from "@ariakit/react";
import { useLayoutEffect, type ReactNode } from "react";
import { useClosedByBack } from "../design/back.ts";
import styles from "./menu.module.css";

interface FloatingMenuProps {
  readonly label: string;
  readonly anchor: () => { x: number; y: number; width: number; height: number };
  /** Has the focus again afterwards. A click on it is left to it. */
  readonly opener: HTMLElement | null;
  /** A person who opens it by a key wants the first item; with a mouse it only gets in the way. */
  readonly startsAtFirst: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function FloatingMenu({ label, anchor, opener, startsAtFirst, onClose, children }: FloatingMenuProps) {
  useClosedByBack(onClose);
  const store = useMenuStore({
    open: true,
    // Rows of one and of many items stand below each other.
    focusShift: true,
    setOpen: (isOpen) => {
      if (!isOpen) onClose();
    },
  });
  useLayoutEffect(() => {
    // Without a button of the library's own, it has to be told to take the focus.
    store.setInitialFocus(startsAtFirst ? "first" : "container");
    store.setAutoFocusOnShow(true);
  }, [store, startsAtFirst]);
  return (
    <Menu
      store={store}
      className={styles["menu"]}
      aria-label={label}
      getAnchorRect={anchor}
      finalFocus={opener}
      hideOnInteractOutside={(event) => !opener?.contains(event.target as Node)}
      unmountOnHide
      fixed
      gutter={4}
      overflowPadding={8}
    >
      {children}
    </Menu>
  );
}
