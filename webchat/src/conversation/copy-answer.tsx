/** Copies a finished answer: its Markdown, and formatted for programs that take that. */

import type { Message } from "@amtrio/client";
import { Check, Copy } from "lucide-react";
import { wordsOf } from "../answer/answer-parts.tsx";
import { useBriefly } from "../design/briefly.ts";
import { notify } from "../design/toast.tsx";
import { useWords } from "../i18n/words.ts";
import { asHtml } from "../markdown/as-html.ts";
import { copyFormatted } from "../markdown/copying.ts";
import styles from "./message.module.css";
import { words } from "./words.ts";

const SAID_MS = 1500;

export function CopyAnswer({ message, isActive }: { readonly message: Message; readonly isActive: boolean }) {
  const t = useWords(words);
  const [hasCopied, sayCopied] = useBriefly<true>(SAID_MS);
  // Where it only used tools, a stand-in is its content.
  if (!message.run?.parts?.some(({ kind }) => kind === "text")) return null;
  const Icon = hasCopied ? Check : Copy;
  const label = t(hasCopied ? "copied" : "copyAnswer");
  return (
    <button
      type="button"
      className={styles["copy"]}
      aria-label={label}
      title={label}
      data-done={hasCopied}
      // Of all the rows, Tab leads to one.
      tabIndex={isActive ? 0 : -1}
      onClick={({ currentTarget }) => {
        copyFormatted(message.content, asHtml(wordsOf(currentTarget.closest("article")!))).then(
          () => sayCopied(true),
          () => notify({ text: t("notCopied"), tone: "bad" }),
        );
      }}
    >
      <Icon size={15} aria-hidden />
    </button>
  );
}
