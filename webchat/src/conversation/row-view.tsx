/** One row of the list, with what stands above it: the day, and the line above what is new. */

import { memo } from "react";
import { dayName } from "../i18n/dates.ts";
import { useLanguage } from "../i18n/language.ts";
import { useToday } from "../i18n/today.ts";
import { useWords } from "../i18n/words.ts";
import { Boundary } from "../shell/boundary.tsx";
import { BrokenItem, DeletedItem, MarkItem } from "./other-rows.tsx";
import styles from "./other-rows.module.css";
import { RowFrame, type RowProps, type SaidRow } from "./row-frame.tsx";
import type { MarkRow, Row } from "./rows.ts";
import { RunItem } from "./run-row.tsx";
import { SaidItem } from "./said-row.tsx";
import { words } from "./words.ts";

/** Drawn anew only if the row is another one: of a live answer only its inside is. */
export const RowView = memo(function RowView(props: RowProps<Row>) {
  const { day, isFirstUnread } = props.row;
  return (
    <>
      {day !== undefined && <DaySeparator day={day} />}
      {isFirstUnread && <UnreadLine />}
      <Inside {...props} />
    </>
  );
});

function Inside(props: RowProps<Row>) {
  const { row } = props;
  if (isMark(row)) return <MarkItem row={row} author={props.author} />;
  return (
    <RowFrame {...props} row={row}>
      <Boundary place={row.key} instead={<BrokenItem row={row} />}>
        <Said {...props} row={row} />
      </Boundary>
    </RowFrame>
  );
}

function isMark(row: Row): row is MarkRow {
  return row.kind === "beginning" || row.kind === "typing";
}

/** An answer stays the same view from its first word on; so does what a person sends. */
function Said({ row, ...rest }: RowProps<SaidRow>) {
  switch (row.kind) {
    case "message":
      return row.message.run === undefined ? <SaidItem row={row} {...rest} /> : <RunItem row={row} {...rest} />;
    case "outgoing":
      return <SaidItem row={row} {...rest} />;
    case "live":
      return <RunItem row={row} {...rest} />;
    default:
      return <DeletedItem row={row} {...rest} />;
  }
}

function DaySeparator({ day }: { readonly day: number }) {
  useLanguage();
  const name = dayName(new Date(day), new Date(useToday()));
  return (
    <div className={styles["day"]} role="separator" aria-label={name}>
      <span className={styles["pill"]} aria-hidden>
        {name}
      </span>
    </div>
  );
}

function UnreadLine() {
  const t = useWords(words);
  return (
    <div className={styles["unread"]} role="separator" aria-label={t("newMessages")}>
      <span aria-hidden>{t("newMessages")}</span>
    </div>
  );
}
