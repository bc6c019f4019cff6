/**
 * All emoji, to search and pick from; with those picked last, in the language that is shown. Its own chunk:
 * `lazy(() => import("../composer/emoji-picker.tsx"))`.
 */

import { EmojiPicker as Parts, useSkinTone, type EmojiPickerListComponents } from "frimousse";
import { useState } from "react";
import { useLanguage } from "../i18n/language.ts";
import { useWords } from "../i18n/words.ts";
import { EMOJI_URL, emojiData } from "./emoji-data.ts";
import styles from "./emoji-picker.module.css";
import { rememberEmoji, rememberSkinTone, skinTone, useRecentEmoji } from "./recent-emoji.ts";
import { words } from "./words.ts";

interface EmojiPickerProps {
  readonly onPick: (emoji: string) => void;
}

const COLUMNS = 8;

export default function EmojiPicker({ onPick }: EmojiPickerProps) {
  const t = useWords(words);
  const language = useLanguage();
  const recent = useRecentEmoji();
  const [search, setSearch] = useState("");
  const [tone] = useState(skinTone);
  const [hasFailed, setHasFailed] = useState(false);

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
      resolveEmojiData={(locale) => {
        const data = emojiData(locale === "de" ? "de" : "en");
        data.catch(() => setHasFailed(true));
        return data;
      }}
      onEmojiSelect={({ emoji }) => pick(emoji)}
    >
      <div className={styles["top"]}>
        <Parts.Search
          className={styles["search"]}
          value={search}
          autoFocus
          placeholder={t("emojiSearch")}
          aria-label={t("emojiSearch")}
          onChange={(event) => setSearch(event.target.value)}
        />
        <ToneButton />
      </div>
      {search === "" && recent.length > 0 && (
        <div className={styles["recent"]} role="group" aria-label={t("emojiRecent")}>
          {recent.slice(0, COLUMNS).map((emoji) => (
            <button key={emoji} type="button" className={styles["emoji"]} onClick={() => pick(emoji)}>
              {emoji}
            </button>
          ))}
        </div>
      )}
      <Parts.Viewport className={styles["viewport"]}>
        <Parts.Loading className={styles["note"]}>{t("emojiLoading")}</Parts.Loading>
        <Parts.Empty className={styles["note"]}>{t("emojiNone")}</Parts.Empty>
        <Parts.List className={styles["list"]} components={COMPONENTS} />
      </Parts.Viewport>
    </Parts.Root>
  );
}

function ToneButton() {
  const t = useWords(words);
  const [tone, setTone, variations] = useSkinTone("✋");
  const shown = variations.findIndex((each) => each.skinTone === tone);
  const next = variations[(shown + 1) % variations.length];
  return (
    <button
      type="button"
      className={styles["emoji"]}
      aria-label={t("emojiTone")}
      title={t("emojiTone")}
      onClick={() => {
        if (next === undefined) return;
        setTone(next.skinTone);
        rememberSkinTone(next.skinTone);
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
