/** Whose an agent is, and who may see it and begin to talk with it. */

import { useState } from "react";
import { notify } from "../design/toast.tsx";
import { useWork } from "../design/work.ts";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { Select } from "../settings/select.tsx";
import { Problem } from "../welcome/problem.tsx";
import { Submit } from "../welcome/submit.tsx";
import styles from "./manage.module.css";
import { PeopleField } from "./people-field.tsx";
import type { AdminAgent } from "./shapes.ts";
import { useVisibilityName, VISIBILITIES } from "./visibility.ts";
import { words } from "./words.ts";

// As the server has it.
const MAX_READERS = 1000;

interface AgentAccessProps {
  readonly agent: AdminAgent;
  readonly nameOf: (userId: string) => string | undefined;
  readonly onChanged: (agent: AdminAgent) => void;
}

interface Access {
  readonly visibility?: string;
  readonly owner?: string | null;
  readonly readers?: readonly string[];
}

export function AgentAccess({ agent, nameOf, onChanged }: AgentAccessProps) {
  const t = useWords(words);
  const visibilityName = useVisibilityName();
  const { rest } = useActions();
  const work = useWork();
  /** What was chosen here; the rest is as it stands. */
  const [chosen, setChosen] = useState<Access>({});
  const { visibility, owner, readers } = { ...agent, ...chosen };

  function submit(): void {
    if (Object.keys(chosen).length === 0) return;
    void work.run(async () => {
      const path = `/admin/agents/${encodeURIComponent(agent.agent_id)}`;
      onChanged(await rest.call<AdminAgent>("PATCH", path, { body: chosen }));
      setChosen({});
      notify({ text: t("saved") });
    });
  }

  return (
    <form
      className={styles["form"]}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <PeopleField
        label={t("owner")}
        most={1}
        chosen={owner === null ? [] : [owner]}
        nameOf={nameOf}
        onChange={([user]) => setChosen({ ...chosen, owner: user ?? null })}
      />
      <Select
        label={t("visibility")}
        hint={t("visibilityHint")}
        value={visibility}
        options={VISIBILITIES.map((value) => ({ value: value as string, label: visibilityName(value) }))}
        onChange={(value) => setChosen({ ...chosen, visibility: value })}
      />
      {visibility === "listed" && (
        <PeopleField
          label={t("readers")}
          most={MAX_READERS}
          chosen={readers}
          nameOf={nameOf}
          onChange={(users) => setChosen({ ...chosen, readers: users })}
        />
      )}
      <Problem error={work.error} />
      <Submit isPending={work.isPending}>{t("save")}</Submit>
    </form>
  );
}
