/** The record of who administered what, newest first. */

import { useCallback, useState } from "react";
import { useActions } from "../engine/actions.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { usePages } from "../settings/loading.ts";
import { Select } from "../settings/select.tsx";
import { ACTS, useActName } from "./acts.ts";
import styles from "./manage.module.css";
import { useNames } from "./people.ts";
import type { AuditEntry } from "./shapes.ts";
import { PagedTable, type Column } from "./table.tsx";
import { words } from "./words.ts";

export function AuditSection() {
  const t = useWords(words);
  const actName = useActName();
  const nameOf = useNames();
  const { rest } = useActions();
  const [action, setAction] = useState("");
  const entries = usePages<AuditEntry, number>(
    useCallback(
      async (cursor, signal) => {
        const query = { action: action || undefined, cursor };
        type Answer = { entries: AuditEntry[]; next: number | null };
        const page = await rest.call<Answer>("GET", "/admin/audit", { query, signal });
        return { items: page.entries, next: page.next };
      },
      [rest, action],
    ),
  );
  const columns: Column<AuditEntry>[] = [
    { key: "what", label: t("act"), isHead: true, renderCell: (entry) => actName(entry.action) },
    { key: "whom", label: t("subject"), renderCell: (entry) => nameOf(entry.subject) ?? <code>{entry.subject}</code> },
    { key: "details", label: t("details"), renderCell: (entry) => detailsOf(entry.details) },
    { key: "who", label: t("actor"), renderCell: (entry) => <Actor entry={entry} nameOf={nameOf} /> },
    {
      key: "when",
      label: t("when"),
      renderCell: (entry) => <time dateTime={entry.at}>{fullTime(new Date(entry.at))}</time>,
    },
  ];
  return (
    <>
      <div className={styles["filters"]}>
        <Select
          label={t("act")}
          value={action}
          options={[{ value: "", label: t("all") }, ...ACTS.map((value) => ({ value: value as string, label: actName(value) }))]}
          onChange={setAction}
        />
      </div>
      <PagedTable
        label={t("audit")}
        columns={columns}
        pages={entries}
        idOf={(entry) => entry.number}
        none={t("noActs")}
      />
    </>
  );
}

interface ActorProps {
  readonly entry: AuditEntry;
  readonly nameOf: (userId: string) => string | undefined;
}

function Actor({ entry, nameOf }: ActorProps) {
  const t = useWords(words);
  if (entry.actor === "cli") return t("commandLine");
  const from = entry.address === "" ? "" : ` (${entry.address})`;
  if (entry.actor === "secret") return t("adminSecret") + from;
  const id = entry.actor_id ?? entry.actor;
  return (nameOf(id) ?? id) + from;
}

function detailsOf(details: AuditEntry["details"]): string {
  const told = Object.entries(details).map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return told.join(", ");
}
