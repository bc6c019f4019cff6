/** What can be done with a conversation from the list. One menu for all rows; a chunk of its own. */

import { Menu, MenuItem, MenuSeparator, useMenuStore } from "@ariakit/react";
import { Archive, ArchiveRestore, Bell, BellOff, CheckCheck, Pencil, Pin, PinOff, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { notify, notifyError } from "../../design/toast.tsx";
import { useActions } from "../../engine/actions.ts";
import { useChat, type ChatConversation } from "../../engine/state.ts";
import { sayNow, useWords } from "../../i18n/words.ts";
import { FOR_EVER, isMuted } from "../../notifications/muted.ts";
import { chatName } from "../names.ts";
import { RemoveDialog, RenameDialog } from "./row-dialogs.tsx";
import { closeRowMenu, useRowMenu, type RowMenuAt } from "./row-menu-state.ts";
import styles from "./row-menu.module.css";
import { words } from "./dialog-words.ts";

const HOUR_MS = 3_600_000;
const MUTE_HOURS = [1, 8] as const;

interface Asking {
  readonly what: "rename" | "remove";
  readonly at: RowMenuAt;
}

export function RowMenu() {
  const at = useRowMenu();
  const [asking, setAsking] = useState<Asking>();
  const shown = at ?? asking?.at;
  const conversation = useChat((state) => (shown === undefined ? undefined : state.conversations[shown.conversationId]));
  const agents = useChat((state) => state.agents);
  const menu = useMenuStore({
    open: at !== null && conversation !== undefined,
    setOpen: (open) => {
      if (!open) closeRowMenu();
    },
  });
  const done = (): void => setAsking(undefined);

  /** The dialog gives the focus back to whatever has it now: the row, and not an item that is about to go. */
  function ask(what: Asking["what"]): void {
    if (at === null) return;
    at.opener.focus();
    setAsking({ what, at });
  }

  if (conversation === undefined) return null;
  return (
    <>
      <Menu
        store={menu}
        className={styles["menu"]}
        aria-label={chatName(conversation, agents)}
        gutter={4}
        unmountOnHide
        autoFocusOnShow
        getAnchorRect={() => (at === null ? null : anchorOf(at))}
        finalFocus={at?.opener ?? null}
        autoFocusOnHide={() => asking === undefined}
      >
        <Items conversation={conversation} ask={ask} />
      </Menu>
      {asking?.what === "rename" && <RenameDialog conversation={conversation} onClose={done} />}
      {asking?.what === "remove" && <RemoveDialog conversation={conversation} onClose={done} />}
    </>
  );
}

interface ItemsProps {
  readonly conversation: ChatConversation;
  readonly ask: (what: Asking["what"]) => void;
}

function Items({ conversation, ask }: ItemsProps) {
  const t = useWords(words);
  const actions = useActions();
  const agents = useChat((state) => state.agents);
  const { conversation_id: id, pinned, archived, unread, lastSeq } = conversation;
  const until = (ms: number): string => new Date(Date.now() + ms).toISOString();

  function archive(): void {
    actions.archive(id, !archived).catch(notifyError);
    if (archived) return;
    const name = chatName(conversation, agents);
    const undo = (): void => void actions.archive(id, false).catch(notifyError);
    notify({ text: t("archivedNow", { name }), action: { label: sayNow(words, "undo"), run: undo } });
  }

  return (
    <>
      <Item icon={pinned ? PinOff : Pin} label={t(pinned ? "unpin" : "pin")} run={() => actions.pin(id, !pinned)} />
      {unread > 0 && <Item icon={CheckCheck} label={t("markRead")} run={() => actions.markRead(id, lastSeq)} />}
      {isMuted(conversation.muted_until) ? (
        <Item icon={Bell} label={t("unmute")} run={() => actions.mute(id, null)} />
      ) : (
        <>
          {MUTE_HOURS.map((n) => (
            <Item key={n} icon={BellOff} label={t("muteHours", { n })} run={() => actions.mute(id, until(n * HOUR_MS))} />
          ))}
          <Item icon={BellOff} label={t("muteForEver")} run={() => actions.mute(id, FOR_EVER)} />
        </>
      )}
      <Item icon={archived ? ArchiveRestore : Archive} label={t(archived ? "unarchive" : "archive")} run={archive} />
      <MenuSeparator className={styles["line"]} />
      <Item icon={Pencil} label={t("rename")} run={() => ask("rename")} />
      <Item icon={Trash2} label={t("remove")} run={() => ask("remove")} isGrave />
    </>
  );
}

interface ItemProps {
  readonly icon: typeof Pin;
  readonly label: string;
  readonly run: () => void | Promise<void>;
  readonly isGrave?: boolean;
}

function Item({ icon: Icon, label, run, isGrave = false }: ItemProps): ReactNode {
  return (
    <MenuItem className={styles["item"]} data-grave={isGrave || undefined} onClick={() => void run()?.catch(notifyError)}>
      <Icon size={18} aria-hidden />
      {label}
    </MenuItem>
  );
}

function anchorOf({ opener, point }: RowMenuAt): { x: number; y: number; width?: number; height?: number } {
  return point === undefined ? opener.getBoundingClientRect() : { ...point, width: 0, height: 0 };
}
