/** Which conversations the list shows: a row of switches, of which one is on. */

import { useMemo } from "react";
import { useChat } from "../../engine/state.ts";
import { useWords } from "../../i18n/words.ts";
import styles from "./filters.module.css";
import { tagsOf, type Filter } from "./order.ts";
import { words } from "./words.ts";

interface FiltersProps {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}

export function Filters({ filter, onChange }: FiltersProps) {
  const t = useWords(words);
  const conversations = useChat((state) => state.conversations);
  const tags = useMemo(() => tagsOf(conversations), [conversations]);
  const choices: [Filter, string][] = [
    ["all", t("all")],
    ["unread", t("unreadOnly")],
    ["archived", t("archivedOnly")],
    ...tags.map((tag): [Filter, string] => [`#${tag}`, `#${tag}`]),
  ];
  return (
    <div className={styles["filters"]} role="group" aria-label={t("filters")}>
      {choices.map(([choice, label]) => (
        <button
          key={choice}
          type="button"
          className={styles["chip"]}
          aria-pressed={choice === filter}
          onClick={() => onChange(choice === filter ? "all" : choice)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
