/** What else stands in the list: messages on their way, what was deleted, where it all begins. */

import { Trash2 } from "lucide-react";
import { AttachmentList } from "../attachments/attachment-list.tsx";
import { Avatar } from "../design/avatar.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { timeOfDay } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Markdown } from "../markdown/markdown.tsx";
import { OutgoingMeta } from "./message-meta.tsx";
import styles from "./message.module.css";
import rowStyles from "./other-rows.module.css";
import { QuoteButton } from "./quote.tsx";
import { RowFrame, type Author, type RowProps } from "./row-frame.tsx";
import type { DeletedRow, MarkRow, OutgoingRow } from "./rows.ts";
import { words } from "./words.ts";

export function OutgoingItem(props: RowProps<OutgoingRow>) {
  const { row, author } = props;
  const { outgoing, quote } = row;
  const t = useWords(words);
  return (
    <RowFrame
      {...props}
      isOwn
      label={t("named", { sender: t("you"), time: timeOfDay(new Date(outgoing.createdAt)) })}
      below={outgoing.state === "failed" && <Failed clientId={outgoing.clientId} error={outgoing.error} />}
    >
      {quote !== undefined && <QuoteButton quote={quote} agentName={author.agentName} />}
      <div className={styles["body"]}>
        {outgoing.content !== "" && <Markdown text={outgoing.content} isLive={false} />}
        {outgoing.attachments.length > 0 && <AttachmentList attachments={outgoing.attachments} />}
      </div>
      <OutgoingMeta outgoing={outgoing} />
    </RowFrame>
  );
}

function Failed({ clientId, error }: { readonly clientId: string; readonly error: string | undefined }) {
  const t = useWords(words);
  const actions = useActions();
  return (
    <div className={styles["note"]} data-tone="bad">
      <span>{error ?? t("failed")}</span>
      <button type="button" className={styles["link"]} onClick={() => actions.retry(clientId)}>
        {t("retry")}
      </button>
      <button type="button" className={styles["link"]} onClick={() => actions.discard(clientId)}>
        {t("discard")}
      </button>
    </div>
  );
}

export function DeletedItem({ row, isActive }: RowProps<DeletedRow>) {
  const t = useWords(words);
  const text = row.count === 1 ? t("deletedOne") : t("deletedSome", { n: row.count });
  return (
    <article className={rowStyles["deleted"]} data-row={row.key} tabIndex={isActive ? 0 : -1} aria-label={text}>
      <Trash2 size={13} aria-hidden />
      {text}
    </article>
  );
}

export function MarkItem({ row, author }: RowProps<MarkRow>) {
  return row.kind === "beginning" ? <Beginning author={author} /> : <Typing row={row} author={author} />;
}

function Beginning({ author: { agentId, agentName } }: { readonly author: Author }) {
  const t = useWords(words);
  const agent = useChat((state) => state.agents[agentId]);
  return (
    <div className={rowStyles["beginning"]}>
      <Avatar id={agentId} name={agentName} size="large" />
      <h3>{agentName}</h3>
      <p>{agent?.description || t("beginningHint", { name: agentName })}</p>
    </div>
  );
}

function Typing({ row, author }: { readonly row: MarkRow; readonly author: Author }) {
  const t = useWords(words);
  return (
    <div className={rowStyles["typing"]} data-starts-group={row.startsGroup || undefined}>
      {/* The line in the header says it in words. */}
      <span className={rowStyles["dots"]} role="img" aria-label={t("isWriting", { name: author.agentName })}>
        <i />
        <i />
        <i />
      </span>
    </div>
  );
}
