/** Copies a text, and says so for a moment. */

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { notify } from "../design/toast.tsx";
import { useWords } from "../i18n/words.ts";
import styles from "./code.module.css";
import { copyText } from "./copying.ts";
import { words } from "./words.ts";

const SAID_MS = 1500;

export function CopyButton({ text }: { readonly text: string }) {
  const t = useWords(words);
  const [hasCopied, setHasCopied] = useState(false);
  useEffect(() => {
    if (!hasCopied) return;
    const timer = setTimeout(() => setHasCopied(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [hasCopied]);
  const copy = (): void => {
    copyText(text).then(
      () => setHasCopied(true),
      () => notify({ text: t("notCopied"), tone: "bad" }),
    );
  };
  const Icon = hasCopied ? Check : Copy;
  return (
    <button type="button" className={styles["button"]} data-done={hasCopied || undefined} onClick={copy}>
      <Icon size={14} aria-hidden />
      <span aria-live="polite">{t(hasCopied ? "copied" : "copy")}</span>
    </button>
  );
}
