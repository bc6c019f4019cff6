/** One message of the list: its words, files and question, when it was said, and what can be done with it. */

import type { Message } from "@amtrio/client";
import { QuestionCard } from "../answer/question-card.tsx";
import { AttachmentList } from "../attachments/attachment-list.tsx";
import { timeOfDay } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Markdown } from "../markdown/markdown.tsx";
import styles from "./message.module.css";
import { useMessageCommands } from "./message-commands.ts";
import { MessageMeta } from "./message-meta.tsx";
import { useMessageText } from "./message-text.ts";
import { MoreButton } from "./more-button.tsx";
import { QuoteButton } from "./quote.tsx";
import { Reactions } from "./reactions.tsx";
import { RowFrame, type RowProps } from "./row-frame.tsx";
import type { MessageRow } from "./rows.ts";
import { words } from "./words.ts";

export function MessageItem(props: RowProps<MessageRow>) {
  const { row, author, isActive } = props;
  const { message, isOwn, quote } = row;
  const t = useWords(words);
  const sender = isOwn ? t("you") : author.agentName;
  return (
    <RowFrame
      {...props}
      isOwn={isOwn}
      label={t("named", { sender, time: timeOfDay(new Date(message.created_at)) })}
      beside={<MoreButton message={message} isActive={isActive} />}
      below={
        <>
          {message.queued && <Queued message={message} agentName={author.agentName} />}
          {message.reactions !== undefined && <Reactions message={message} agentName={author.agentName} />}
        </>
      }
    >
      {quote !== undefined && <QuoteButton quote={quote} agentName={author.agentName} />}
      <Body message={message} />
      <MessageMeta message={message} isOwn={isOwn} />
    </RowFrame>
  );
}

function Body({ message }: { readonly message: Message }) {
  const t = useWords(words);
  const text = useMessageText(message);
  const { attachments, question } = message;
  return (
    <div className={styles["body"]}>
      {text === null && <p className={styles["unreadable"]}>{t("unreadable")}</p>}
      {text === undefined && <p className={styles["unreadable"]}>{t("deciphering")}</p>}
      {text && <Markdown text={text} isLive={false} />}
      {attachments !== undefined && <AttachmentList attachments={attachments} />}
      {question !== undefined && <QuestionCard message={message} />}
    </div>
  );
}

function Queued({ message, agentName }: { readonly message: Message; readonly agentName: string }) {
  const t = useWords(words);
  const commands = useMessageCommands();
  return (
    <p className={styles["note"]}>
      {t("waitsFor", { name: agentName })}
      <button type="button" className={styles["link"]} onClick={() => commands.withdraw(message)}>
        {t("withdraw")}
      </button>
    </p>
  );
}
