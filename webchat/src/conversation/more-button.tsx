/** Opens the menu of a message, for whoever points at it or stands on it. */

import type { Message } from "@amtrio/client";
import { Ellipsis } from "lucide-react";
import { useWords } from "../i18n/words.ts";
import styles from "./message.module.css";
import { closeMenu, openMenu, useOpened } from "./opened.ts";
import { words } from "./words.ts";

export function MoreButton({ message, isActive }: { readonly message: Message; readonly isActive: boolean }) {
  const t = useWords(words);
  const isOpen = useOpened(({ menu }) => menu?.message.message_id === message.message_id);
  return (
    <button
      type="button"
      className={styles["more"]}
      aria-label={t("more")}
      title={t("more")}
      aria-haspopup="menu"
      aria-expanded={isOpen}
      // Of all the rows, Tab leads to one; not every keyboard has a key for the menu.
      tabIndex={isActive ? 0 : -1}
      onClick={(event) => (isOpen ? closeMenu() : openMenu(message, event.currentTarget))}
    >
      <Ellipsis size={18} aria-hidden />
    </button>
  );
}
