/**
 * Rows of the same kind: a table where there is room, else a card for each.
 *
 * The roles are said once more, since browsers forget them for what is no table on the screen.
 */

/* oxlint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role */

import type { ReactNode } from "react";
import { Button } from "../design/button.tsx";
import { useWords } from "../i18n/words.ts";
import { Await } from "../settings/await.tsx";
import { frameWords } from "../settings/frame-words.ts";
import type { Pages } from "../settings/loading.ts";
import styles from "./table.module.css";

export interface Column<Row> {
  readonly key: string;
  readonly label: string;
  readonly renderCell: (row: Row) => ReactNode;
  /** It names the row; without a label of its own on a card. */
  readonly isHead?: boolean;
}

interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly idOf: (row: Row) => string | number;
}

export function Table<Row>({ label, columns, rows, idOf }: TableProps<Row>) {
  return (
    <table className={styles["table"]} role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.key} scope="col" role="columnheader">
              {column.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={idOf(row)} role="row">
            {columns.map((column) =>
              column.isHead === true ? (
                <th key={column.key} scope="row" role="rowheader">
                  {column.renderCell(row)}
                </th>
              ) : (
                <td key={column.key} role="cell">
                  <span className={styles["label"]} aria-hidden>
                    {column.label}
                  </span>
                  <span className={styles["value"]}>{column.renderCell(row)}</span>
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface PagedTableProps<Row> extends Omit<TableProps<Row>, "rows"> {
  readonly pages: Pages<Row>;
  /** Shown in place of a table without rows. */
  readonly none: string;
}

export function PagedTable<Row>({ pages, none, ...table }: PagedTableProps<Row>) {
  const t = useWords(frameWords);
  return (
    <Await loaded={pages}>
      {(rows) => (
        <>
          {rows.length === 0 ? <p>{none}</p> : <Table {...table} rows={rows} />}
          {pages.more !== undefined && (
            <div>
              <Button aria-busy={pages.isLoading || undefined} onClick={pages.more}>
                {t("more")}
              </Button>
            </div>
          )}
        </>
      )}
    </Await>
  );
}
