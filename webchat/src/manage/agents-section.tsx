/** Every agent, whoever may see it. */

import { Plus } from "lucide-react";
import { useCallback, useState } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useActions } from "../engine/actions.ts";
import { ago } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Await } from "../settings/await.tsx";
import { useLoaded } from "../settings/loading.ts";
import { Badge } from "../settings/rows.tsx";
import { ConnectAgent } from "../welcome/connect-agent.tsx";
import { AgentDialog } from "./agent-dialog.tsx";
import styles from "./manage.module.css";
import { useNames } from "./people.ts";
import type { AdminAgent } from "./shapes.ts";
import { Table, type Column } from "./table.tsx";
import { useVisibilityName } from "./visibility.ts";
import { words } from "./words.ts";

export function AgentsSection() {
  const t = useWords(words);
  const visibilityName = useVisibilityName();
  const nameOf = useNames();
  const { rest } = useActions();
  const [openId, setOpenId] = useState<string>();
  const [isMaking, setMaking] = useState(false);
  const agents = useLoaded(
    useCallback((signal) => rest.call<AdminAgent[]>("GET", "/admin/agents", { signal }), [rest]),
  );
  const open = agents.data?.find((agent) => agent.agent_id === openId);
  const columns: Column<AdminAgent>[] = [
    {
      key: "name",
      label: t("name"),
      isHead: true,
      renderCell: (agent) => (
        <>
          <button type="button" className={styles["open"]} onClick={() => setOpenId(agent.agent_id)}>
            {agent.name || agent.agent_id}
          </button>{" "}
          {agent.name !== agent.agent_id && <span className={styles["quiet"]}>{agent.agent_id}</span>}
        </>
      ),
    },
    { key: "state", label: t("state"), renderCell: (agent) => <State agent={agent} /> },
    { key: "visibility", label: t("visibility"), renderCell: (agent) => visibilityName(agent.visibility) },
    {
      key: "owner",
      label: t("owner"),
      renderCell: (agent) => (agent.owner === null ? "–" : (nameOf(agent.owner) ?? agent.owner)),
    },
  ];
  return (
    <>
      <div className={styles["bar"]}>
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus size={18} aria-hidden /> {t("newAgent")}
        </Button>
      </div>
      <Await loaded={agents}>
        {(data) =>
          data.length === 0 ? (
            <p>{t("noAgents")}</p>
          ) : (
            <Table label={t("agents")} columns={columns} rows={data} idOf={(agent) => agent.agent_id} />
          )
        }
      </Await>
      {isMaking && (
        <Dialog title={t("newAgent")} onClose={() => setMaking(false)}>
          <ConnectAgent onCancel={() => setMaking(false)} onMade={agents.reload} />
        </Dialog>
      )}
      {open !== undefined && (
        <AgentDialog
          agent={open}
          nameOf={nameOf}
          onChanged={(agent) =>
            agents.change((now) => now.map((each) => (each.agent_id === agent.agent_id ? agent : each)))
          }
          onDeleted={() => agents.change((now) => now.filter((each) => each.agent_id !== open.agent_id))}
          onClose={() => setOpenId(undefined)}
        />
      )}
    </>
  );
}

function State({ agent }: { readonly agent: AdminAgent }) {
  const t = useWords(words);
  if (agent.credential === "revoked") return <Badge tone="bad">{t("revoked")}</Badge>;
  if (agent.connections > 0) return <Badge tone="good">{t("online")}</Badge>;
  return agent.last_seen ? t("seen", { when: ago(new Date(agent.last_seen)) }) : t("never");
}
