/** Suggestions over the field. The focus stays in the field, which points at the chosen one. */

import { useEffect, useRef } from "react";
import { useWords } from "../i18n/words.ts";
import styles from "./suggestion-list.module.css";
import type { Suggestions } from "./use-suggestions.ts";
import { words } from "./words.ts";

export function SuggestionList({ suggestions }: { readonly suggestions: Suggestions }) {
  const t = useWords(words);
  const { items, active, listId, optionId, pick, choose } = suggestions;
  const chosen = useRef<HTMLLIElement>(null);
  useEffect(() => {
    chosen.current?.scrollIntoView({ block: "nearest" });
  }, [active, items]);
  return (
    <>
      <p className="visually-hidden" role="status">
        {items.length > 0 && t("suggestionCount", { n: items.length })}
      </p>
      {items.length > 0 && (
        <ul id={listId} className={styles["list"]} role="listbox" aria-label={t("suggestions")}>
          {items.map((item, index) => (
            <li
              key={item.id}
              id={optionId(index)}
              ref={index === active ? chosen : null}
              className={styles["option"]}
              role="option"
              aria-selected={index === active}
              // The field must not lose the focus to a click.
              onMouseDown={(event) => event.preventDefault()}
              onPointerMove={() => choose(index)}
              onClick={() => pick(index)}
            >
              <span className={styles["label"]}>{item.label}</span>
              {item.aside !== undefined && <span className={styles["aside"]}>{item.aside}</span>}
              {item.description !== undefined && <span className={styles["description"]}>{item.description}</span>}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
