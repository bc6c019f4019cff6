/** All emoji, to react with one of them. */

import { Popover, usePopoverStore } from "@ariakit/react";
import { lazy, Suspense } from "react";
import { useClosedByBack } from "../design/back.ts";
import { Spinner } from "../design/spinner.tsx";
import { useWords } from "../i18n/words.ts";
import styles from "./menu.module.css";
import { useMessageCommands } from "./message-commands.ts";
import { anchorOf, closeMenu, type OpenMenu } from "./opened.ts";
import { words } from "./words.ts";

const EmojiPicker = lazy(() => import("../composer/emoji-picker.tsx"));

export function EmojiPanel({ menu }: { readonly menu: OpenMenu }) {
  const { message, opener } = menu;
  const t = useWords(words);
  const commands = useMessageCommands();
  useClosedByBack(closeMenu);
  const store = usePopoverStore({
    open: true,
    setOpen: (isOpen) => {
      if (!isOpen) closeMenu();
    },
  });
  return (
    <Popover
      store={store}
      className={styles["panel"]}
      aria-label={t("react")}
      getAnchorRect={() => anchorOf(menu)}
      finalFocus={opener}
      autoFocusOnShow
      unmountOnHide
      fixed
      gutter={4}
      overflowPadding={8}
    >
      <Suspense fallback={<Spinner />}>
        <EmojiPicker
          onPick={(emoji) => {
            closeMenu();
            commands.react(message, emoji);
          }}
        />
      </Suspense>
    </Popover>
  );
}
