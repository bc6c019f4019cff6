/** A block of code: what language it is in, its text to read and to copy. */

import { TextWrap } from "lucide-react";
import { memo, useId, useState, type ReactNode } from "react";
import { useWords } from "../i18n/words.ts";
import { keepWhole } from "./as-html.ts";
import styles from "./code.module.css";
import { useColours, type Stretch } from "./colours.ts";
import { CopyButton } from "./copy-button.tsx";
import { words } from "./words.ts";

interface CodeBlockProps {
  readonly text: string;
  /** As the text names it; empty if it does not. */
  readonly language: string;
  /** More of it is coming. */
  readonly isOpen: boolean;
  /** Shown instead of the language. */
  readonly title?: string;
  /** What a long one shows first. */
  readonly shows?: "beginning" | "end";
}

export const CodeBlock = memo(function CodeBlock({ text, language, isOpen, title, shows = "beginning" }: CodeBlockProps) {
  const t = useWords(words);
  const id = useId();
  const [isWrapped, setIsWrapped] = useState(false);
  // Whoever saw it grow keeps it as it is: nothing under the eyes of a reader folds by itself.
  const [isFolded, setIsFolded] = useState(!isOpen || shows === "end");
  // A beginning that stays while the rest grows would look as if nothing came.
  const canFold = isLong(text) && (!isOpen || shows === "end");
  const shown = canFold && isFolded ? excerpt(text, shows) : text;
  const { stretches, rest } = useColours(shown, language, isOpen);
  const name = title ?? language;
  return (
    // Code runs from left to right, whatever the words around it do.
    <figure className={styles["code"]} dir="ltr">
      <figcaption className={styles["caption"]}>
        <span className={styles["language"]}>{name || t("code")}</span>
        <button
          type="button"
          className={styles["button"]}
          aria-label={t("wrap")}
          title={t("wrap")}
          aria-pressed={isWrapped}
          onClick={() => setIsWrapped(!isWrapped)}
        >
          <TextWrap size={14} aria-hidden />
        </button>
        <CopyButton text={text} />
      </figcaption>
      {/* A stop for the keyboard, because it can be scrolled. */}
      <pre
        ref={(pre) => {
          if (pre !== null && shown !== text) keepWhole(pre, text);
        }}
        id={id}
        className={styles["text"]}
        data-wrap={isWrapped || undefined}
        data-folded={shown === text ? undefined : shows}
        role="group"
        aria-label={title ?? (language === "" ? t("code") : t("codeIn", { language }))}
        tabIndex={0}
      >
        <code data-caret={isOpen || undefined}>
          <Coloured stretches={stretches} />
          {rest}
        </code>
      </pre>
      {canFold && (
        <button
          type="button"
          className={styles["more"]}
          aria-expanded={!isFolded}
          aria-controls={id}
          onClick={() => setIsFolded(!isFolded)}
        >
          {isFolded ? t("showAll", { n: countLines(text) }) : t("showLess")}
        </button>
      )}
    </figure>
  );
});

/** Of its own, since it changes seldom while its block grows. */
const Coloured = memo(function Coloured({ stretches }: { readonly stretches: readonly Stretch[] }) {
  return stretches.map(coloured);
});

function coloured(stretch: Stretch, key: number): ReactNode {
  if (typeof stretch === "string") return stretch;
  return (
    <span key={key} className={styles[stretch.scope]}>
      {stretch.inside.map(coloured)}
    </span>
  );
}

// Two screens of a phone.
const MAX_LINES = 60;
const FOLDED_LINES = 40;
// One line can be long, too: JSON without breaks.
const MAX_CHARACTERS = 12_000;

function isLong(text: string): boolean {
  return text.length > MAX_CHARACTERS || countLines(text, MAX_LINES + 1) > MAX_LINES;
}

function countLines(text: string, atMost = Number.POSITIVE_INFINITY): number {
  let count = 1;
  for (let at = text.indexOf("\n"); at >= 0 && count < atMost; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function excerpt(text: string, shows: "beginning" | "end"): string {
  const most = MAX_CHARACTERS / 2;
  if (shows === "end") return text.slice(-most).split("\n").slice(-FOLDED_LINES).join("\n");
  return text.slice(0, most).split("\n", FOLDED_LINES).join("\n");
}
