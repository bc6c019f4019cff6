/**
 * What a search in the picker has found, the likeliest first: the library's own search takes words apart anywhere and
 * keeps the order of groups. The focus stays in the search field, which points at the chosen one.
 */

import type { SkinTone } from "frimousse";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useWords } from "../i18n/words.ts";
import styles from "./emoji-picker.module.css";
import { foundEmoji, type Emoji } from "./emoji-search.ts";
import { isComposing } from "./keys.ts";
import { words } from "./words.ts";

// As the library has it for the list of all.
export const COLUMNS = 8;
// Ten rows: whoever finds nothing there writes another letter.
const MOST = 10 * COLUMNS;
const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };

export interface EmojiSearch {
  readonly found: readonly Emoji[];
  /** Index of the chosen one. */
  readonly active: number;
  readonly choose: (index: number) => void;
  /** For the search field. */
  readonly press: (event: KeyboardEvent) => void;
}

export function useEmojiSearch(
  emojis: readonly Emoji[],
  query: string,
  pick: (item: Emoji) => void,
): EmojiSearch {
  const found = useMemo(() => foundEmoji(emojis, query, MOST), [emojis, query]);
  const [active, choose] = useState(0);
  useEffect(() => choose(0), [found]);

  function press(event: KeyboardEvent): void {
    if (query.trim() === "" || isComposing(event.nativeEvent)) return;
    const chosen = found[active];
    const step = STEPS[event.key];
    if (event.key === "Enter" && chosen !== undefined) pick(chosen);
    else if (step !== undefined && found[active + step] !== undefined) choose(active + step);
    else if (step === undefined && event.key !== "Enter") return;
    // Not for the library, which would pick from its own list.
    event.preventDefault();
  }

  return { found, active, choose, press };
}

interface EmojiResultsProps {
  readonly search: EmojiSearch;
  readonly id: string;
  readonly tone: SkinTone;
  readonly onPick: (item: Emoji) => void;
}

export function EmojiResults({ search, id, tone, onPick }: EmojiResultsProps) {
  const t = useWords(words);
  const { found, active, choose } = search;
  const chosen = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    chosen.current?.scrollIntoView({ block: "nearest" });
  }, [active, found]);
  const rows = Array.from({ length: Math.ceil(found.length / COLUMNS) }, (_, at) => found.slice(at * COLUMNS, (at + 1) * COLUMNS));
  if (rows.length === 0) {
    return (
      <p className={styles["note"]} role="status">
        {t("emojiNone")}
      </p>
    );
  }
  return (
    <div id={id} className={styles["results"]} role="grid" aria-label={t("emojiFound")}>
      {rows.map((row, rowAt) => (
        <div key={row[0]!.emoji} className={styles["row"]} role="row">
          {row.map((item, at) => {
            const index = rowAt * COLUMNS + at;
            return (
              <button
                key={item.emoji}
                id={`${id}-${index}`}
                ref={index === active ? chosen : null}
                type="button"
                role="gridcell"
                tabIndex={-1}
                className={styles["emoji"]}
                aria-label={item.label}
                aria-selected={index === active}
                data-active={index === active || undefined}
                // The field must not lose the focus to a click.
                onPointerDown={(event) => event.preventDefault()}
                onPointerMove={() => choose(index)}
                onClick={() => onPick(item)}
              >
                {inTone(item, tone)}
              </button>
            );
          })}
        </div>
      ))}
    </div>
  );
}

export function inTone({ emoji, skins }: Emoji, tone: SkinTone): string {
  return tone === "none" ? emoji : (skins?.[tone] ?? emoji);
}
