/** A conversation as a file: all of it is fetched, page by page, and written on this device. */

import type { Message, Rest } from "@amtrio/client";
import { useEffect, useRef, useState } from "react";
import { download } from "../../attachments/download.ts";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { notify } from "../../design/toast.tsx";
import { useWork } from "../../design/work.ts";
import { useActions } from "../../engine/actions.ts";
import { useWords } from "../../i18n/words.ts";
import { Problem } from "../../welcome/problem.tsx";
import { filesIn, textIn } from "../message-text.ts";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import styles from "./dialogs.module.css";
import { asJson, asMarkdown, fileNameOf } from "./transcript.ts";
import { words } from "./words.ts";

// As many as the server gives at once.
const PAGE = 200;
const TYPES = { md: "text/markdown", json: "application/json" } as const;

export function ExportDialog({ conversation, agentName, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const actions = useActions();
  const { isPending, error, run } = useWork();
  const [count, setCount] = useState(0);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  async function write(extension: keyof typeof TYPES, signal: AbortSignal): Promise<void> {
    setCount(0);
    const messages = await wholeHistory(actions.rest, conversation.conversation_id, signal, setCount);
    if (messages === undefined) return;
    // Most of them have never been on the screen.
    const sealed = messages.filter((message) => message.kind === "encrypted" && !message.deleted);
    const { plain, sealedFiles } = sealed.length === 0 ? { plain: {}, sealedFiles: {} } : await actions.decipher(sealed);
    if (signal.aborted) return;
    const textOf = (message: Message) => textIn(plain, message);
    const filesOf = (message: Message) => filesIn(sealedFiles, message);
    const transcript = { conversation, agentName, messages, textOf, filesOf, exportedAt: new Date() };
    const say = {
      you: t("you"),
      unreadable: t("unreadable"),
      attached: (name: string) => t("attached", { name }),
    };
    const text = extension === "md" ? asMarkdown(transcript, say) : asJson(transcript);
    download(new Blob([text], { type: TYPES[extension] }), fileNameOf(conversation.title ?? agentName, extension));
    notify({ text: t("exportDone", { n: messages.length }) });
    onClose();
  }

  function begin(extension: keyof typeof TYPES): void {
    const controller = new AbortController();
    abort.current = controller;
    void run(() => write(extension, controller.signal));
  }

  return (
    <Dialog title={t("exportTitle")} onClose={onClose}>
      <p>{t("exportBody")}</p>
      {isPending ? (
        <div className={styles["progress"]}>
          <progress aria-label={t("exportTitle")} max={Math.max(conversation.lastSeq, 1)} value={count} />
          <span>{t("exporting", { n: count })}</span>
          <Button onClick={() => abort.current?.abort()}>{t("stopExport")}</Button>
        </div>
      ) : (
        <div className={styles["choices"]}>
          <Button onClick={() => begin("md")}>{t("exportMarkdown")}</Button>
          <Button onClick={() => begin("json")}>{t("exportJson")}</Button>
        </div>
      )}
      <Problem error={error} />
    </Dialog>
  );
}

/** Oldest first; undefined if it was stopped. */
async function wholeHistory(
  rest: Rest,
  conversationId: string,
  signal: AbortSignal,
  onProgress: (count: number) => void,
): Promise<Message[] | undefined> {
  const pages: Message[][] = [];
  let before: number | undefined;
  let count = 0;
  for (;;) {
    const query = before === undefined ? { limit: PAGE } : { before, limit: PAGE };
    const page = await rest.history(conversationId, query, signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (page === undefined || signal.aborted) return undefined;
    pages.push(page.messages);
    count += page.messages.length;
    onProgress(count);
    before = page.messages[0]?.conversation_seq;
    if (!page.has_more || before === undefined) return pages.toReversed().flat();
  }
}
