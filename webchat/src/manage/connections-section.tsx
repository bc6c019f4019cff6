/** Who is connected at this moment. */

import { useCallback, useEffect } from "react";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Await } from "../settings/await.tsx";
import { useLoaded } from "../settings/loading.ts";
import { useNames } from "./people.ts";
import type { Connected, Connections } from "./shapes.ts";
import { Table, type Column } from "./table.tsx";
import { words } from "./words.ts";

// Twelve of the sixty requests that an administrator of the smallest tier has in a minute.
const LOOK_EVERY_MS = 5000;

export function ConnectionsSection() {
  const t = useWords(words);
  const { rest } = useActions();
  const nameOf = useNames();
  const agents = useChat((state) => state.agents);
  const connections = useLoaded(
    useCallback((signal) => rest.call<Connections>("GET", "/admin/connections", { signal }), [rest]),
  );
  const { reload } = connections;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") reload();
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const columns: Column<Connected>[] = [
    {
      key: "name",
      label: t("name"),
      isHead: true,
      renderCell: ({ account_kind: kind, account_id: id }) =>
        (kind === "agent" ? agents[id]?.name || id : nameOf(id)) ?? id,
    },
    { key: "kind", label: t("kind"), renderCell: (each) => (each.account_kind === "agent" ? t("agent") : t("person")) },
    { key: "sockets", label: t("connections"), renderCell: (each) => each.connections },
    {
      key: "since",
      label: t("since"),
      renderCell: (each) => (each.connected_at === null ? "–" : fullTime(new Date(each.connected_at))),
    },
  ];
  return (
    <Await loaded={connections}>
      {(data) => (
        <>
          <p>{t("connectionsText", { n: data.total })}</p>
          {data.accounts.length > 0 && (
            <Table
              label={t("connectionsNow")}
              columns={columns}
              rows={data.accounts}
              idOf={(each) => `${each.account_kind}:${each.account_id}`}
            />
          )}
        </>
      )}
    </Await>
  );
}
