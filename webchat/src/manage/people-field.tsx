/** People of this server, found by a part of their name. */

import { Plus, X } from "lucide-react";
import { useCallback, useState } from "react";
import { isComposing } from "../composer/keys.ts";
import { Field } from "../design/field.tsx";
import { Button } from "../design/button.tsx";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { useLoaded } from "../settings/loading.ts";
import { Problem } from "../welcome/problem.tsx";
import styles from "./people-field.module.css";
import type { AdminUser } from "./shapes.ts";
import { useSettled } from "./settled.ts";
import { words } from "./words.ts";

const SHOWN = 6;

interface PeopleFieldProps {
  readonly label: string;
  /** User ids. */
  readonly chosen: readonly string[];
  /** How many there may be. */
  readonly most: number;
  readonly nameOf: (userId: string) => string | undefined;
  readonly onChange: (chosen: readonly string[]) => void;
}

export function PeopleField({ label, chosen, most, nameOf, onChange }: PeopleFieldProps) {
  const t = useWords(words);
  const { rest } = useActions();
  const [text, setText] = useState("");
  /** Of those found here, who need not be among the names that are known. */
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const query = useSettled(text.trim());
  const found = useLoaded(
    useCallback(
      async (signal) => {
        if (query === "") return [];
        const asked = { query: { q: query, limit: SHOWN }, signal };
        return (await rest.call<{ users: AdminUser[] }>("GET", "/admin/users", asked)).users;
      },
      [rest, query],
    ),
  );
  const offered = (found.data ?? []).filter((user) => !chosen.includes(user.user_id));

  function add(user: AdminUser): void {
    setNames(new Map(names).set(user.user_id, user.username));
    onChange(most === 1 ? [user.user_id] : [...chosen, user.user_id]);
    setText("");
  }

  return (
    <div className={styles["people"]}>
      {chosen.length > 0 && (
        <ul className={styles["chosen"]} aria-label={label}>
          {chosen.map((id) => {
            const name = names.get(id) ?? nameOf(id) ?? id;
            return (
              <li key={id}>
                {name}
                <button
                  type="button"
                  aria-label={t("removeName", { name })}
                  onClick={() => onChange(chosen.filter((each) => each !== id))}
                >
                  <X size={16} aria-hidden />
                </button>
              </li>
            );
          })}
        </ul>
      )}
      <Field
        label={label}
        hint={chosen.length === 0 ? t("nobody") : undefined}
        type="search"
        placeholder={t("findPeople")}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        disabled={most > 1 && chosen.length >= most}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || isComposing(event.nativeEvent)) return;
          event.preventDefault();
          // Whoever is offered may still be whom the letters before meant.
          const isSettled = text.trim() === query && !found.isLoading;
          if (isSettled && offered[0] !== undefined) add(offered[0]);
        }}
      />
      <Problem error={found.error} />
      <div role="status">
        {query !== "" && !found.isLoading && offered.length === 0 && <p>{t("nobodyFound")}</p>}
      </div>
      {query !== "" && offered.length > 0 && (
        <div className={styles["offered"]}>
          {offered.map((user) => (
            <Button key={user.user_id} onClick={() => add(user)}>
              <Plus size={16} aria-hidden /> {user.username}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}
