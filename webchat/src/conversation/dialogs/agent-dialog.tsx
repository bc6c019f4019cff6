/** Who an agent says it is. */

import type { AgentInfo } from "@amtrio/client";
import { Avatar } from "../../design/avatar.tsx";
import { Button } from "../../design/button.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { useChat } from "../../engine/state.ts";
import { useWords } from "../../i18n/words.ts";
import type { ConversationDialogProps } from "./conversation-dialog.tsx";
import styles from "./dialogs.module.css";
import { Facts } from "./facts.tsx";
import { words } from "./words.ts";

const ABILITIES = ["stop", "steer", "queue", "attachments", "questions"] as const;

export function AgentDialog({ conversation, agentName, onClose }: ConversationDialogProps) {
  const t = useWords(words);
  const { agent_id: agentId } = conversation;
  const agent: AgentInfo | undefined = useChat((state) => state.agents[agentId]);
  const abilities = ABILITIES.filter((each) => agent?.supports?.includes(each));
  return (
    <Dialog
      title={t("agentTitle", { name: agentName })}
      onClose={onClose}
      actions={<Button onClick={onClose}>{t("close")}</Button>}
    >
      <div className={styles["agent"]}>
        <Avatar id={agentId} name={agentName} size="large" />
        <p>{agent?.description}</p>
      </div>
      <Facts
        facts={[
          [t("model"), agent?.model],
          [t("specialty"), agent?.specialty],
          [t("personality"), agent?.personality],
          [t("capabilities"), agent?.capabilities?.join(", ")],
          [t("understands"), abilities.map((each) => t(`can.${each}`)).join(", ")],
          [t("commands"), agent?.commands !== undefined && agent.commands.length > 0 && <Commands key="commands" of={agent} />],
          [t("agentId"), <code key="id">{agentId}</code>],
        ]}
      />
    </Dialog>
  );
}

function Commands({ of: { commands } }: { readonly of: AgentInfo }) {
  return (
    <ul className={styles["commands"]}>
      {commands?.map(({ name, arguments: takes, description }) => (
        <li key={name}>
          <code>
            /{name} {takes}
          </code>
          {description !== undefined && <span>{description}</span>}
        </li>
      ))}
    </ul>
  );
}
