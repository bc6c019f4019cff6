/** Where and when to look. */

import { useMemo } from "react";
import { Button } from "../design/button.tsx";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { tagsOf } from "../shell/sidebar/order.ts";
import { agentName, chatName } from "../shell/names.ts";
import { isFiltered, withoutFilters, type Criteria } from "./criteria.ts";
import styles from "./filters.module.css";
import { words } from "./words.ts";

interface FiltersProps {
  readonly criteria: Criteria;
  readonly onChange: (criteria: Criteria) => void;
}

export function Filters({ criteria, onChange }: FiltersProps) {
  const t = useWords(words);
  const chats = useChats(criteria.agentId);
  const agents = useAgents();
  const tags = useTags();
  const change = (changes: Partial<Criteria>): void => onChange({ ...criteria, ...changes });
  return (
    <div className={styles["filters"]} role="group" aria-label={t("filters")}>
      <Choice
        label={t("agent")}
        any={t("anyAgent")}
        value={criteria.agentId}
        choices={agents}
        // A chat of another agent would find nothing.
        onChange={(agentId) => change({ agentId, conversationId: "" })}
      />
      <Choice
        label={t("conversation")}
        any={t("anyConversation")}
        value={criteria.conversationId}
        choices={chats}
        onChange={(conversationId) => change({ conversationId })}
      />
      {(tags.length > 0 || criteria.tag !== "") && (
        <Choice label={t("tag")} any={t("anyTag")} value={criteria.tag} choices={tags} onChange={(tag) => change({ tag })} />
      )}
      <Day label={t("from")} value={criteria.from} most={criteria.to} onChange={(from) => change({ from })} />
      <Day label={t("to")} value={criteria.to} least={criteria.from} onChange={(to) => change({ to })} />
      <label className={styles["files"]}>
        <input
          type="checkbox"
          checked={criteria.has === "file"}
          onChange={(event) => change({ has: event.target.checked ? "file" : "" })}
        />
        {t("hasFile")}
      </label>
      {isFiltered(criteria) && (
        <Button look="quiet" className={styles["reset"]} onClick={() => onChange(withoutFilters(criteria))}>
          {t("reset")}
        </Button>
      )}
    </div>
  );
}

type Choices = readonly (readonly [id: string, name: string])[];

interface ChoiceProps {
  readonly label: string;
  /** What no choice is called. */
  readonly any: string;
  readonly value: string;
  readonly choices: Choices;
  readonly onChange: (value: string) => void;
}

function Choice({ label, any, value, choices, onChange }: ChoiceProps) {
  const isKnown = value === "" || choices.some(([id]) => id === value);
  return (
    <label className={styles["filter"]}>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{any}</option>
        {choices.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        {!isKnown && <option value={value}>{value}</option>}
      </select>
    </label>
  );
}

interface DayProps {
  readonly label: string;
  readonly value: string;
  readonly least?: string;
  readonly most?: string;
  readonly onChange: (value: string) => void;
}

function Day({ label, value, least, most, onChange }: DayProps) {
  return (
    <label className={styles["filter"]}>
      <span>{label}</span>
      <input
        type="date"
        value={value}
        min={least || undefined}
        max={most || undefined}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

function useChats(agentId: string): Choices {
  const conversations = useChat((state) => state.conversations);
  const agents = useChat((state) => state.agents);
  return useMemo(
    () =>
      Object.values(conversations)
        .filter((each) => agentId === "" || each.agent_id === agentId)
        .map((each) => [each.conversation_id, chatName(each, agents)] as const)
        .sort(([, a], [, b]) => a.localeCompare(b)),
    [conversations, agents, agentId],
  );
}

function useTags(): Choices {
  const conversations = useChat((state) => state.conversations);
  return useMemo(() => tagsOf(conversations).map((tag) => [tag, `#${tag}`] as const), [conversations]);
}

/** Whoever one has talked with, also those that are gone from the server. */
function useAgents(): Choices {
  const conversations = useChat((state) => state.conversations);
  const agents = useChat((state) => state.agents);
  return useMemo(() => {
    const ids = new Set(Object.values(conversations).map((each) => each.agent_id));
    return [...ids].map((id) => [id, agentName(agents, id)] as const).sort(([, a], [, b]) => a.localeCompare(b));
  }, [conversations, agents]);
}
