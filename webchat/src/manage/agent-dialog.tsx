/** One agent: what it says of itself, who sees it, its credential, its end. */

import { useState } from "react";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useActions } from "../engine/actions.ts";
import { fullTime } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import { Confirm } from "../settings/confirm.tsx";
import { Badge, Fact, Facts } from "../settings/rows.tsx";
import { AgentCommands } from "../welcome/agent-commands.tsx";
import type { NewAgent } from "../welcome/new-agent-form.tsx";
import { AgentAccess } from "./agent-access.tsx";
import { AgentCard } from "./agent-card.tsx";
import styles from "./manage.module.css";
import type { AdminAgent } from "./shapes.ts";
import { words } from "./words.ts";

interface AgentDialogProps {
  readonly agent: AdminAgent;
  readonly nameOf: (userId: string) => string | undefined;
  readonly onChanged: (agent: AdminAgent) => void;
  readonly onDeleted: () => void;
  readonly onClose: () => void;
}

export function AgentDialog({ agent, nameOf, onChanged, onDeleted, onClose }: AgentDialogProps) {
  const t = useWords(words);
  const { rest } = useActions();
  const [asking, setAsking] = useState<"rotate" | "revoke" | "delete">();
  const [renewed, setRenewed] = useState<NewAgent>();
  const id = agent.agent_id;
  const name = agent.name || id;
  const path = `/admin/agents/${encodeURIComponent(id)}`;

  async function rotate(): Promise<void> {
    const { token } = await rest.call<{ token: string }>("POST", `${path}/rotate`);
    setRenewed({ agentId: id, name, token });
    onChanged({ ...agent, credential: "own", connections: 0 });
  }

  async function revoke(): Promise<void> {
    await rest.call("POST", `${path}/revoke`);
    setRenewed(undefined);
    onChanged({ ...agent, credential: "revoked", connections: 0 });
  }

  async function remove(): Promise<void> {
    await rest.call("DELETE", path);
    onDeleted();
  }

  return (
    <>
      <Dialog title={name} onClose={onClose}>
        <Facts>
          <Fact name={t("id")}>
            <code>{id}</code>
          </Fact>
          <Fact name={t("since")}>{fullTime(new Date(agent.created_at))}</Fact>
          <Fact name={t("connections")}>
            {agent.connections}
            {agent.connected_at !== undefined && `, ${t("sinceWhen", { when: fullTime(new Date(agent.connected_at)) })}`}
          </Fact>
          <Fact name={t("credential")}>
            <Badge tone={agent.credential === "revoked" ? "bad" : "plain"}>{credentialWord(agent.credential)}</Badge>
          </Fact>
        </Facts>
        <section className={styles["part"]}>
          <h3>{t("card")}</h3>
          <AgentCard agent={agent} onChanged={onChanged} />
        </section>
        <section className={styles["part"]}>
          <h3>{t("access")}</h3>
          <AgentAccess agent={agent} nameOf={nameOf} onChanged={onChanged} />
        </section>
        <section className={styles["part"]}>
          <h3>{t("credential")}</h3>
          {renewed !== undefined && <AgentCommands agent={renewed} />}
          <div className={styles["row"]}>
            <Button onClick={() => setAsking("rotate")}>{t("rotate")} …</Button>
            {agent.credential !== "revoked" && (
              <Button look="danger" onClick={() => setAsking("revoke")}>
                {t("revoke")} …
              </Button>
            )}
          </div>
        </section>
        <section className={styles["part"]}>
          <h3>{t("deleteAgent")}</h3>
          <Button look="danger" onClick={() => setAsking("delete")}>
            {t("deleteAgent")} …
          </Button>
        </section>
      </Dialog>
      {asking === "rotate" && (
        <Confirm
          title={t("rotate")}
          action={t("rotate")}
          look="primary"
          onConfirm={rotate}
          onClose={() => setAsking(undefined)}
        >
          <p>{t("rotateText", { name })}</p>
        </Confirm>
      )}
      {asking === "revoke" && (
        <Confirm title={t("revoke")} action={t("revoke")} onConfirm={revoke} onClose={() => setAsking(undefined)}>
          <p>{t("revokeText", { name })}</p>
        </Confirm>
      )}
      {asking === "delete" && (
        <Confirm
          title={t("deleteAgent")}
          action={t("deleteAgent")}
          typed={id}
          onConfirm={remove}
          onClose={() => setAsking(undefined)}
        >
          <p>{t("deleteAgentText", { name })}</p>
        </Confirm>
      )}
    </>
  );

  function credentialWord(credential: string): string {
    if (credential === "own") return t("credentialOwn");
    if (credential === "shared") return t("credentialShared");
    return credential === "revoked" ? t("revoked") : credential;
  }
}
