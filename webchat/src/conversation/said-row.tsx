/**
 * What somebody said in one go: a person, or an agent that does not stream. Its words, files and question, how far it
 * has come, and what can be done with it.
 *
 * One view for what is on its way and what has arrived, so that nothing flickers in between.
 */

import type { Attachment, Message } from "@amtrio/client";
import { QuestionCard } from "../answer/question-card.tsx";
import { AttachmentList } from "../attachments/attachment-list.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat, type Outgoing } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { Markdown } from "../markdown/markdown.tsx";
import styles from "./message.module.css";
import { useMessageCommands } from "./message-commands.ts";
import { MessageMeta, OutgoingMeta } from "./message-meta.tsx";
import { filesIn, textIn } from "./message-text.ts";
import { MoreButton } from "./more-button.tsx";
import { QuoteButton } from "./quote.tsx";
import { Reactions } from "./reactions.tsx";
import { Bubble, type RowProps } from "./row-frame.tsx";
import type { MessageRow, OutgoingRow } from "./rows.ts";
import { words } from "./words.ts";

export function SaidItem({ row, author, isActive }: RowProps<MessageRow | OutgoingRow>) {
  const message = row.kind === "message" ? row.message : undefined;
  const outgoing = row.kind === "outgoing" ? row.outgoing : undefined;
  const text = useChat((state) => outgoing?.content ?? textIn(state.plain, message!));
  const files = useChat((state) => outgoing?.attachments ?? filesIn(state.sealedFiles, message!));
  return (
    <Bubble
      row={row}
      author={author}
      beside={message !== undefined && <MoreButton message={message} isActive={isActive} />}
      below={
        <>
          {outgoing?.state === "failed" && <Failed outgoing={outgoing} />}
          {message?.queued && <Queued message={message} agentName={author.agentName} />}
          {message?.reactions !== undefined && <Reactions message={message} agentName={author.agentName} />}
        </>
      }
    >
      {row.quote !== undefined && <QuoteButton quote={row.quote} agentName={author.agentName} />}
      <div className={styles["body"]}>
        <Words text={text} />
        <Files attachments={files} />
        {message?.question !== undefined && <QuestionCard message={message} />}
      </div>
      {message !== undefined && <MessageMeta message={message} isOwn={row.kind === "outgoing" || row.isOwn} />}
      {outgoing !== undefined && <OutgoingMeta outgoing={outgoing} />}
    </Bubble>
  );
}

function Words({ text }: { readonly text: string | null | undefined }) {
  const t = useWords(words);
  if (text) return <Markdown text={text} isLive={false} />;
  if (text === "") return null;
  return <p className={styles["unreadable"]}>{t(text === null ? "unreadable" : "deciphering")}</p>;
}

function Files({ attachments }: { readonly attachments: readonly Attachment[] }) {
  return attachments.length === 0 ? null : <AttachmentList attachments={attachments} />;
}

function Queued({ message, agentName }: { readonly message: Message; readonly agentName: string }) {
  const t = useWords(words);
  const commands = useMessageCommands();
  return (
    <p className={styles["note"]}>
      {t("waitsFor", { name: agentName })}
      <button type="button" className={styles["link"]} onClick={() => void commands.withdraw(message)}>
        {t("withdraw")}
      </button>
    </p>
  );
}

function Failed({ outgoing: { clientId, error } }: { readonly outgoing: Outgoing }) {
  const t = useWords(words);
  const actions = useActions();
  return (
    <div className={styles["note"]} data-tone="bad">
      <span>{error ?? t("failed")}</span>
      <span className={styles["choices"]}>
        <button type="button" className={styles["link"]} onClick={() => actions.retry(clientId)}>
          {t("retry")}
        </button>
        <button type="button" className={styles["link"]} onClick={() => actions.discard(clientId)}>
          {t("discard")}
        </button>
      </span>
    </div>
  );
}
