/** The two things about a conversation that want a second step: another name, and the end of it. */

import { useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { Field } from "../../design/field.tsx";
import { useActions } from "../../engine/actions.ts";
import { useChat, type ChatConversation } from "../../engine/state.ts";
import { problemOf } from "../../i18n/problem.ts";
import { useWords } from "../../i18n/words.ts";
import { chatName } from "../names.ts";
import { conversationAt, LIST } from "../places.ts";
import { words } from "./dialog-words.ts";

// docs/protocol.md, "Conversations": one line of 1 to 200 characters.
export const TITLE_AT_MOST = 200;

interface AskProps {
  readonly conversation: ChatConversation;
  readonly onClose: () => void;
}

export function RenameDialog({ conversation, onClose }: AskProps) {
  const t = useWords(words);
  const actions = useActions();
  const [title, setTitle] = useState(conversation.title ?? "");
  const [error, setError] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const wanted = title.trim();
  const mayBeEmpty = conversation.is_default;

  // The dialog is open by now, and has put the focus on its first button.
  useEffect(() => {
    field.current!.focus();
    field.current!.select();
  }, []);

  async function save(): Promise<void> {
    try {
      if (wanted !== (conversation.title ?? "")) await actions.rename(conversation.conversation_id, wanted || null);
      onClose();
    } catch (caught) {
      setError(problemOf(caught));
    }
  }

  return (
    <Dialog
      title={t("renameTitle")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button look="primary" type="submit" form="rename" disabled={wanted === "" && !mayBeEmpty}>
            {t("save")}
          </Button>
        </>
      }
    >
      <form
        id="rename"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Field
          label={t("renameLabel")}
          value={title}
          maxLength={TITLE_AT_MOST}
          ref={field}
          autoComplete="off"
          hint={mayBeEmpty ? t("renameHint") : undefined}
          error={error}
          onChange={(event) => setTitle(event.target.value)}
        />
      </form>
    </Dialog>
  );
}

export function RemoveDialog({ conversation, onClose }: AskProps) {
  const t = useWords(words);
  const actions = useActions();
  const agents = useChat((state) => state.agents);
  const [path, navigate] = useLocation();
  const [error, setError] = useState<string>();
  const id = conversation.conversation_id;

  async function remove(): Promise<void> {
    try {
      await actions.deleteConversation(id);
      if (conversationAt(path) === id) navigate(LIST);
      onClose();
    } catch (caught) {
      setError(problemOf(caught));
    }
  }

  return (
    <Dialog
      title={t("removeTitle", { name: chatName(conversation, agents) })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button look="danger" onClick={() => void remove()}>
            {t("removeNow")}
          </Button>
        </>
      }
    >
      <p>{t("removeText")}</p>
      {error !== undefined && <p role="alert">{error}</p>}
    </Dialog>
  );
}
