/** What an agent is called and says of itself. A program that connects may say it anew. */

import { useState } from "react";
import { Field } from "../design/field.tsx";
import { notify } from "../design/toast.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { useFieldErrors } from "../welcome/field-errors.ts";
import { Problem } from "../welcome/problem.tsx";
import { Submit } from "../welcome/submit.tsx";
import styles from "./manage.module.css";
import type { AdminAgent } from "./shapes.ts";
import { words } from "./words.ts";

const FIELDS = ["name", "model", "specialty", "personality"] as const;
type CardField = (typeof FIELDS)[number];

interface AgentCardProps {
  readonly agent: AdminAgent;
  readonly onChanged: (agent: AdminAgent) => void;
}

export function AgentCard({ agent, onChanged }: AgentCardProps) {
  const t = useWords(words);
  const { rest } = useActions();
  const work = useWork();
  /** What was written here; the rest is as the agent has it. */
  const [written, setWritten] = useState<{ readonly [Name in CardField]?: string }>({});
  const { form, errors, tell } = useFieldErrors<"name">();

  function submit(): void {
    const changes = Object.entries(written).filter(([field, text]) => text !== (agent[field as CardField] ?? ""));
    const isNameless = written.name?.trim() === "";
    tell(isNameless ? { name: t("nameMissing") } : {});
    if (isNameless || changes.length === 0) return;
    void work.run(async () => {
      const path = `/admin/agents/${encodeURIComponent(agent.agent_id)}`;
      onChanged(await rest.call<AdminAgent>("PATCH", path, { body: Object.fromEntries(changes) }));
      setWritten({});
      notify({ text: t("saved") });
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
      {FIELDS.map((field) => (
        <Field
          key={field}
          label={t(field)}
          autoComplete="off"
          maxLength={2000}
          value={written[field] ?? agent[field] ?? ""}
          error={field === "name" ? errors.name : undefined}
          onChange={(event) => setWritten({ ...written, [field]: event.target.value })}
        />
      ))}
      <Problem error={work.error} />
      <Submit isPending={work.isPending}>{t("save")}</Submit>
    </form>
  );
}
