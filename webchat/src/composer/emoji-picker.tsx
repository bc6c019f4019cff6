/**
 * All emoji, to search and pick from; with those picked last, in the language that is shown. Its own chunk:
 * `lazy(() => import("../composer/emoji-picker.tsx"))`.
 */

import { EmojiPicker as Parts, useSkinTone, type EmojiPickerListComponents, type SkinTone } from "frimousse";
import { useEffect, useId, useState } from "react";
import { useLanguage } from "../i18n/language.ts";
import { useWords } from "../i18n/words.ts";
import { EMOJI_URL, emojiData } from "./emoji-data.ts";
import styles from "./emoji-picker.module.css";
import { COLUMNS, EmojiResults, inTone, useEmojiSearch } from "./emoji-results.tsx";
import type { Emoji } from "./emoji-search.ts";
import { rememberEmoji, rememberSkinTone, skinTone, useRecentEmoji } from "./recent-emoji.ts";
import { words } from "./words.ts";

interface EmojiPickerProps {
  readonly onPick: (emoji: string) => void;
}

const NONE: readonly Emoji[] = [];

export default function EmojiPicker({ onPick }: EmojiPickerProps) {
  const t = useWords(words);
  const language = useLanguage();
  const recent = useRecentEmoji();
  const [query, setQuery] = useState("");
  const [tone, setTone] = useState(skinTone);
  const [emojis, setEmojis] = useState(NONE);
  const [hasFailed, setHasFailed] = useState(false);
  const search = useEmojiSearch(emojis, query, (item) => pick(inTone(item, tone)));
  const resultsId = useId();
  const isSearching = query.trim() !== "" && emojis.length > 0;

  useEffect(() => {
    let isWanted = true;
    emojiData(language).then(
      (data) => {
        if (isWanted) setEmojis(data.emojis);
      },
      () => setHasFailed(true),
    );
    return () => {
      isWanted = false;
    };
  }, [language]);

  function pick(emoji: string): void {
    rememberEmoji(emoji);
    onPick(emoji);
  }

  if (hasFailed) {
    return (
      <p className={styles["failed"]} role="alert">
        {t("emojiFailed")}
      </p>
    );
  }
  return (
    <Parts.Root
      className={styles["picker"]}
      columns={COLUMNS}
      locale={language}
      emojibaseUrl={EMOJI_URL}
      skinTone={tone}
      resolveEmojiData={(locale) => emojiData(locale === "de" ? "de" : "en")}
      onEmojiSelect={({ emoji }) => pick(emoji)}
    >
      <div className={styles["top"]}>
        <Parts.Search
          className={styles["search"]}
          autoFocus
          placeholder={t("emojiSearch")}
          aria-label={t("emojiSearch")}
          aria-controls={isSearching ? resultsId : undefined}
          aria-activedescendant={isSearching && search.found.length > 0 ? `${resultsId}-${search.active}` : undefined}
          onChange={(event) => {
            // The library does not search as well.
            event.preventDefault();
            setQuery(event.target.value);
          }}
          onKeyDown={search.press}
        />
        <ToneButton
          onChange={(chosen) => {
            setTone(chosen);
            rememberSkinTone(chosen);
          }}
        />
      </div>
      {query === "" && recent.length > 0 && (
        <div className={styles["recent"]} role="group" aria-label={t("emojiRecent")}>
          {recent.slice(0, COLUMNS).map((emoji) => (
            <button key={emoji} type="button" className={styles["emoji"]} onClick={() => pick(emoji)}>
              {emoji}
            </button>
          ))}
        </div>
      )}
      <div className={styles["body"]}>
        {/* It stays, with its measures and where it was scrolled to. */}
        <Parts.Viewport className={styles["viewport"]} data-covered={isSearching || undefined}>
          <Parts.Loading className={styles["note"]}>{t("emojiLoading")}</Parts.Loading>
          <Parts.Empty className={styles["note"]}>{t("emojiNone")}</Parts.Empty>
          <Parts.List className={styles["list"]} components={COMPONENTS} />
        </Parts.Viewport>
        {isSearching && <EmojiResults search={search} id={resultsId} tone={tone} onPick={(item) => pick(inTone(item, tone))} />}
      </div>
    </Parts.Root>
  );
}

function ToneButton({ onChange }: { readonly onChange: (tone: SkinTone) => void }) {
  const t = useWords(words);
  const [tone, , variations] = useSkinTone("✋");
  const shown = variations.findIndex((each) => each.skinTone === tone);
  const next = variations[(shown + 1) % variations.length];
  return (
    <button
      type="button"
      className={styles["emoji"]}
      aria-label={t("emojiTone")}
      title={t("emojiTone")}
      onClick={() => {
        if (next !== undefined) onChange(next.skinTone);
      }}
    >
      {variations[shown]?.emoji ?? "✋"}
    </button>
  );
}

// Outside of the component: new ones at every drawing would take the focus from the list.
const COMPONENTS: Partial<EmojiPickerListComponents> = {
  CategoryHeader: ({ category, ...props }) => (
    <div {...props} className={styles["category"]}>
      {category.label}
    </div>
  ),
  // The library counts from 0, ARIA from 1. It looks its rows up by their number, all but the first.
  Row: ({ children, "aria-rowindex": row, ...props }) => (
    <div {...props} aria-rowindex={row || undefined} className={styles["row"]}>
      {children}
    </div>
  ),
  Emoji: ({ emoji, "aria-colindex": column = 0, ...props }) => (
    // It is a cell of a grid, by the role among its props.
    // oxlint-disable-next-line jsx-a11y/role-supports-aria-props
    <button {...props} aria-colindex={column + 1} className={styles["emoji"]} data-active={emoji.isActive || undefined}>
      {emoji.emoji}
    </button>
  ),
};
