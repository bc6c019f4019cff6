/** Copies a text, and says so for a moment. */

import { Check, Copy } from "lucide-react";
import { useBriefly } from "../design/briefly.ts";
import { notify } from "../design/toast.tsx";
import { useWords } from "../i18n/words.ts";
import styles from "./code.module.css";
import { copyText } from "./copying.ts";
import { words } from "./words.ts";

const SAID_MS = 1500;

export function CopyButton({ text }: { readonly text: string }) {
  const t = useWords(words);
  const [hasCopied, sayCopied] = useBriefly<true>(SAID_MS);
  const copy = (): void => {
    copyText(text).then(
      () => sayCopied(true),
      () => notify({ text: t("notCopied"), tone: "bad" }),
    );
  };
  const Icon = hasCopied ? Check : Copy;
  return (
    <button type="button" className={styles["button"]} data-done={hasCopied} onClick={copy}>
      <Icon size={14} aria-hidden />
      <span aria-live="polite">{t(hasCopied ? "copied" : "copy")}</span>
    </button>
  );
}
