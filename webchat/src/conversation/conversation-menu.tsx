/** What can be done with a conversation. Comes when it is first needed. */

import { MenuItem, MenuSeparator } from "@ariakit/react";
import {
  Archive,
  ArchiveRestore,
  Bell,
  BellOff,
  Download,
  Files,
  Info,
  Lock,
  MessageSquarePlus,
  Pencil,
  Pin,
  PinOff,
  Tag,
  Trash2,
  type LucideIcon,
} from "lucide-react";
import type { RefObject } from "react";
import { notify, notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import type { ChatConversation } from "../engine/state.ts";
import { sayNow, useWords } from "../i18n/words.ts";
import { FloatingMenu } from "./floating-menu.tsx";
import styles from "./menu.module.css";
import { isMutedNow } from "./muting.ts";
import { openDialog, type OpenDialog } from "./opened.ts";
import { words } from "./words.ts";

interface ConversationMenuProps {
  readonly conversation: ChatConversation;
  readonly agentName: string;
  readonly opener: RefObject<HTMLButtonElement | null>;
  readonly onClose: () => void;
}

export default function ConversationMenu({ conversation, agentName, opener, onClose }: ConversationMenuProps) {
  const t = useWords(words);
  const actions = useActions();
  const { conversation_id: id, pinned, archived, muted_until: mutedUntil } = conversation;
  const close = (): void => {
    onClose();
    opener.current?.focus();
  };
  const item = (Icon: LucideIcon, text: string, run: () => void, look?: "danger") => (
    <MenuItem
      className={styles["item"]}
      data-look={look}
      hideOnClick={false}
      onClick={() => {
        close();
        run();
      }}
    >
      <Icon size={17} aria-hidden />
      {text}
    </MenuItem>
  );
  function archive(): void {
    actions.archive(id, !archived).catch(notifyError);
    if (archived) return;
    const undo = (): void => void actions.archive(id, false).catch(notifyError);
    notify({ text: t("archivedNow"), action: { label: sayNow(words, "undo"), run: undo } });
  }
  const opens = (dialog: OpenDialog) => (): void => openDialog(dialog);
  const does = (run: () => Promise<void>) => (): void => void run().catch(notifyError);
  return (
    <FloatingMenu
      label={t("options")}
      anchor={() => opener.current!.getBoundingClientRect()}
      opener={opener.current}
      startsAtFirst
      onClose={close}
    >
      {item(Info, t("about", { name: agentName }), opens({ kind: "agent" }))}
      {item(Files, t("files"), opens({ kind: "files" }))}
      {item(MessageSquarePlus, t("startAnother", { name: agentName }), opens({ kind: "another" }))}
      <MenuSeparator className={styles["separator"]} />
      {item(Pencil, t("rename"), opens({ kind: "rename" }))}
      {item(pinned ? PinOff : Pin, t(pinned ? "unpin" : "pin"), does(() => actions.pin(id, !pinned)))}
      {item(archived ? ArchiveRestore : Archive, t(archived ? "unarchive" : "archive"), archive)}
      {isMutedNow(mutedUntil)
        ? item(Bell, t("unmute"), does(() => actions.mute(id, null)))
        : item(BellOff, t("mute"), opens({ kind: "mute" }))}
      {item(Tag, t("tags"), opens({ kind: "tags" }))}
      <MenuSeparator className={styles["separator"]} />
      {item(Lock, t("encryption"), opens({ kind: "encryption" }))}
      {item(Download, t("export"), opens({ kind: "export" }))}
      {item(Trash2, t("deleteConversation"), opens({ kind: "delete" }), "danger")}
    </FloatingMenu>
  );
}
