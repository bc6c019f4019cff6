/** Makes an agent. For administrators; the server refuses others. */

import { Refused } from "@amtrio/client";
import { useState } from "react";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { agentIdFrom, isAgentId } from "./agent-programs.ts";
import { agentWords } from "./agent-words.ts";
import styles from "./connect-agent.module.css";
import { useFieldErrors } from "./field-errors.ts";
import { Problem } from "./problem.tsx";
import { Submit } from "./submit.tsx";

export interface NewAgent {
  readonly agentId: string;
  readonly name: string;
  readonly token: string;
}

interface NewAgentFormProps {
  readonly onMade: (agent: NewAgent) => void;
  readonly onCancel: () => void;
}

export function NewAgentForm({ onMade, onCancel }: NewAgentFormProps) {
  const t = useWords(agentWords);
  const { rest } = useActions();
  const work = useWork();
  const [name, setName] = useState("");
  /** Undefined: it follows the name. */
  const [chosenId, setChosenId] = useState<string>();
  const { form, errors, tell } = useFieldErrors<"name" | "id">();
  const agentId = chosenId ?? agentIdFrom(name);

  async function make(): Promise<void> {
    const body = { agent_id: agentId, name: name.trim() };
    const { token } = await rest.call<{ token: string }>("POST", "/admin/agents", { body });
    onMade({ agentId, name: name.trim(), token });
  }

  function submit(): void {
    const hasName = name.trim() !== "";
    const hasId = isAgentId(agentId);
    tell({ ...(!hasName && { name: t("agentNameMissing") }), ...(hasName && !hasId && { id: t("agentIdHint") }) });
    if (!hasName || !hasId) return;
    void work.run(make, (error) => {
      const isTaken = error instanceof Refused && error.code === "conflict";
      if (isTaken) tell({ id: t("agentIdTaken") });
      return isTaken;
    });
  }

  return (
    <form
      ref={form}
      className={styles["form"]}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Field
        label={t("agentName")}
        autoComplete="off"
        required
        maxLength={200}
        value={name}
        error={errors.name}
        onChange={(event) => setName(event.target.value)}
      />
      <Field
        label={t("agentId")}
        hint={t("agentIdHint")}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        required
        maxLength={64}
        value={agentId}
        error={errors.id}
        onChange={(event) => setChosenId(event.target.value)}
      />
      <Problem error={work.error} />
      <div className={styles["actions"]}>
        <Button look="quiet" onClick={onCancel}>
          {t("cancel")}
        </Button>
        <Submit isPending={work.isPending}>{t("makeAgent")}</Submit>
      </div>
    </form>
  );
}
