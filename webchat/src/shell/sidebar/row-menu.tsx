/** What can be done with a conversation from the list. One menu for all rows; a chunk of its own. */

import { MenuItem, MenuSeparator } from "@ariakit/react";
import { Archive, ArchiveRestore, Bell, BellOff, CheckCheck, Pencil, Pin, PinOff, Trash2, type LucideIcon } from "lucide-react";
import { useState } from "react";
import { FloatingMenu } from "../../conversation/floating-menu.tsx";
import styles from "../../conversation/menu.module.css";
import { notify, notifyError } from "../../design/toast.tsx";
import { useActions } from "../../engine/actions.ts";
import { serverNow } from "../../engine/server-clock.ts";
import { useChat, type ChatConversation } from "../../engine/state.ts";
import { sayNow, useWords } from "../../i18n/words.ts";
import { FOR_EVER, isMuted } from "../../notifications/muted.ts";
import { chatName } from "../names.ts";
import { RemoveDialog, RenameDialog } from "./row-dialogs.tsx";
import { closeRowMenu, useRowMenu, type RowMenuAt } from "./row-menu-state.ts";
import { words } from "./dialog-words.ts";

const HOUR_MS = 3_600_000;
const MUTE_HOURS = [1, 8] as const;

interface Asking {
  readonly what: "rename" | "remove";
  readonly conversationId: string;
}

export function RowMenu() {
  const at = useRowMenu();
  const [asking, setAsking] = useState<Asking>();
  const shown = at ?? asking;
  const conversation = useChat((state) => (shown === undefined ? undefined : state.conversations[shown.conversationId]));
  const agents = useChat((state) => state.agents);
  const done = (): void => setAsking(undefined);
  if (conversation === undefined) return null;
  return (
    <>
      {at !== null && (
        <FloatingMenu
          key={at.conversationId}
          label={chatName(conversation, agents)}
          anchor={() => anchorOf(at)}
          opener={at.opener}
          startsAtFirst={at.point === undefined}
          onClose={() => leave(at)}
        >
          <Items
            conversation={conversation}
            leave={() => leave(at)}
            ask={(what) => setAsking({ what, conversationId: at.conversationId })}
          />
        </FloatingMenu>
      )}
      {asking?.what === "rename" && <RenameDialog conversation={conversation} onClose={done} />}
      {asking?.what === "remove" && <RemoveDialog conversation={conversation} onClose={done} />}
    </>
  );
}

/** The focus goes back to the row; a dialog that opens next gives it back there, too. */
function leave({ opener }: RowMenuAt): void {
  closeRowMenu();
  if (opener.isConnected) opener.focus({ preventScroll: true });
}

interface ItemsProps {
  readonly conversation: ChatConversation;
  readonly leave: () => void;
  readonly ask: (what: Asking["what"]) => void;
}

function Items({ conversation, leave, ask }: ItemsProps) {
  const t = useWords(words);
  const actions = useActions();
  const agents = useChat((state) => state.agents);
  const { conversation_id: id, pinned, archived, unread, lastSeq } = conversation;
  const until = (ms: number): string => new Date(serverNow() + ms).toISOString();

  function archive(): void {
    actions.archive(id, !archived).catch(notifyError);
    if (archived) return;
    const name = chatName(conversation, agents);
    const undo = (): void => void actions.archive(id, false).catch(notifyError);
    notify({ text: t("archivedNow", { name }), action: { label: sayNow(words, "undo"), run: undo } });
  }

  const item = (Icon: LucideIcon, label: string, run: () => void | Promise<void>, look?: "danger") => (
    <MenuItem
      key={label}
      className={styles["item"]}
      data-look={look}
      hideOnClick={false}
      onClick={() => {
        leave();
        run()?.catch(notifyError);
      }}
    >
      <Icon size={18} aria-hidden />
      {label}
    </MenuItem>
  );
  return (
    <>
      {item(pinned ? PinOff : Pin, t(pinned ? "unpin" : "pin"), () => actions.pin(id, !pinned))}
      {unread > 0 && item(CheckCheck, t("markRead"), () => actions.markRead(id, lastSeq))}
      {isMuted(conversation.muted_until) ? (
        item(Bell, t("unmute"), () => actions.mute(id, null))
      ) : (
        <>
          {MUTE_HOURS.map((n) => item(BellOff, t("muteHours", { n }), () => actions.mute(id, until(n * HOUR_MS))))}
          {item(BellOff, t("muteForEver"), () => actions.mute(id, FOR_EVER))}
        </>
      )}
      {item(archived ? ArchiveRestore : Archive, t(archived ? "unarchive" : "archive"), archive)}
      <MenuSeparator className={styles["separator"]} />
      {item(Pencil, t("rename"), () => ask("rename"))}
      {item(Trash2, t("remove"), () => ask("remove"), "danger")}
    </>
  );
}

function anchorOf({ opener, point }: RowMenuAt): { x: number; y: number; width: number; height: number } {
  return point === undefined ? opener.getBoundingClientRect() : { ...point, width: 0, height: 0 };
}
