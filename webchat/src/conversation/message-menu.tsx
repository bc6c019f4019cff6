/** The menu of one message: one for the whole list, opened where it was asked for. Comes when it is first needed. */

import type { Message } from "@amtrio/client";
import { CompositeRow, MenuItem, MenuItemCheckbox, MenuSeparator } from "@ariakit/react";
import { Copy, Info, Link2, Pencil, Reply, RotateCw, SmilePlus, Trash2, Undo2 } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useChat, type Timeline } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { EmojiPanel } from "./emoji-panel.tsx";
import { FloatingMenu } from "./floating-menu.tsx";
import styles from "./menu.module.css";
import { canEdit, hasReacted, questionAt, useMessageCommands } from "./message-commands.ts";
import { textIn } from "./message-text.ts";
import { anchorOf, closeMenu, openDialog, type OpenMenu } from "./opened.ts";
import { words } from "./words.ts";

const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "👎"] as const;
const ICON_PX = 17;

export default function MessageMenu({ menu: opened }: { readonly menu: OpenMenu }) {
  const [isPicking, setPicking] = useState(opened.isPicking);
  const isDeleted = useChat(({ timelines }) => isDeletedIn(timelines[opened.message.conversation_id], opened.message));
  useEffect(() => {
    // Elsewhere, while it was open: nothing in it can be done any more.
    if (isDeleted) closeMenu();
  }, [isDeleted]);
  if (isPicking) return <EmojiPanel menu={opened} />;
  return <Items menu={opened} onPick={() => setPicking(true)} />;
}

function isDeletedIn(timeline: Timeline | undefined, { message_id: id }: Message): boolean {
  return timeline?.messages.findLast((each) => each.message_id === id)?.deleted === true;
}

function Items({ menu: opened, onPick }: { readonly menu: OpenMenu; readonly onPick: () => void }) {
  const { message } = opened;
  const t = useWords(words);
  const commands = useMessageCommands();
  const userId = useChat((state) => state.self?.userId);
  const asked = questionAt(message);
  const hasText = useChat((state) => Boolean(textIn(state.plain, message)));
  // First the focus goes back: a dialog that opens then knows where to return it to.
  const after = (run: () => void) => (): void => {
    closeMenu();
    run();
  };
  const item = (icon: ReactNode, text: string, run: () => void, look?: "danger") => (
    <MenuItem className={styles["item"]} rowId={text} data-look={look} hideOnClick={false} onClick={after(run)}>
      {icon}
      {text}
    </MenuItem>
  );
  return (
    <FloatingMenu
      label={t("menu")}
      anchor={() => anchorOf(opened)}
      opener={opened.opener}
      startsAtFirst={opened.at === undefined}
      onClose={closeMenu}
    >
      <CompositeRow className={styles["quick"]} role="group" aria-label={t("quickReactions")}>
        {QUICK.map((emoji) => (
          <MenuItemCheckbox
            key={emoji}
            className={styles["emoji"]}
            name="reaction"
            value={emoji}
            checked={hasReacted(message, emoji, userId)}
            aria-label={t("reactWith", { emoji })}
            hideOnClick={false}
            onClick={after(() => commands.react(message, emoji))}
          >
            {emoji}
          </MenuItemCheckbox>
        ))}
        <MenuItem className={styles["emoji"]} aria-label={t("moreEmoji")} title={t("moreEmoji")} hideOnClick={false} onClick={onPick}>
          <SmilePlus size={20} aria-hidden />
        </MenuItem>
      </CompositeRow>
      <MenuSeparator className={styles["separator"]} />
      {message.queued && item(<Undo2 size={ICON_PX} aria-hidden />, t("withdraw"), () => void commands.withdraw(message))}
      {item(<Reply size={ICON_PX} aria-hidden />, t("reply"), () => commands.reply(message))}
      {asked !== undefined && item(<RotateCw size={ICON_PX} aria-hidden />, t("askAgain"), () => commands.askAgain(asked))}
      {hasText && item(<Copy size={ICON_PX} aria-hidden />, t("copyText"), () => commands.copyText(message))}
      {canEdit(message) && item(<Pencil size={ICON_PX} aria-hidden />, t("edit"), () => commands.edit(message))}
      {item(<Link2 size={ICON_PX} aria-hidden />, t("copyLink"), () => commands.copyLink(message))}
      {item(<Info size={ICON_PX} aria-hidden />, t("details"), () => openDialog({ kind: "details", message }))}
      <MenuSeparator className={styles["separator"]} />
      {item(<Trash2 size={ICON_PX} aria-hidden />, t("remove"), () => openDialog({ kind: "remove", message }), "danger")}
    </FloatingMenu>
  );
}
