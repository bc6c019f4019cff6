/** What else stands in the list: what was deleted, where it all begins, and that somebody is writing. */

import { Trash2 } from "lucide-react";
import { Avatar } from "../design/avatar.tsx";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./other-rows.module.css";
import type { Author, RowProps, SaidRow } from "./row-frame.tsx";
import type { DeletedRow, MarkRow } from "./rows.ts";
import { words } from "./words.ts";

export function DeletedItem({ row }: RowProps<DeletedRow>) {
  const t = useWords(words);
  return (
    <span className={styles["deleted"]}>
      <Trash2 size={13} aria-hidden />
      {row.messageIds.length === 1 ? t("deletedOne") : t("deletedSome", { n: row.messageIds.length })}
    </span>
  );
}

/** Something in it cannot be drawn, which is no reason not to show the others. Its words are there all the same. */
export function BrokenItem({ row }: { readonly row: SaidRow }) {
  const t = useWords(words);
  const said = row.kind === "message" && row.message.kind !== "encrypted" ? row.message.content : "";
  return (
    <div className={styles["broken"]}>
      <p>{t("broken")}</p>
      {said !== "" && <pre>{said}</pre>}
    </div>
  );
}

export function MarkItem({ row, author }: Pick<RowProps<MarkRow>, "row" | "author">) {
  return row.kind === "beginning" ? <Beginning author={author} /> : <Typing row={row} author={author} />;
}

function Beginning({ author: { agentId, agentName } }: { readonly author: Author }) {
  const t = useWords(words);
  const agent = useChat((state) => state.agents[agentId]);
  return (
    <div className={styles["beginning"]}>
      <Avatar id={agentId} name={agentName} size="large" />
      <h2>{agentName}</h2>
      <p>{agent?.description || t("beginningHint", { name: agentName })}</p>
    </div>
  );
}

function Typing({ row, author }: { readonly row: MarkRow; readonly author: Author }) {
  const t = useWords(words);
  return (
    <div className={styles["typing"]} data-starts-group={row.startsGroup || undefined}>
      {/* The line in the header says it in words. */}
      <span className={styles["dots"]} role="img" aria-label={t("isWriting", { name: author.agentName })}>
        <i />
        <i />
        <i />
      </span>
    </div>
  );
}
