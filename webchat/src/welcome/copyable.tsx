/** Text to take along, with a button that copies it. */

import { Check, Copy } from "lucide-react";
import { useRef } from "react";
import { useBriefly } from "../design/briefly.ts";
import { Button } from "../design/button.tsx";
import { notify } from "../design/toast.tsx";
import { useWords } from "../i18n/words.ts";
import { copyText } from "../markdown/copying.ts";
import { agentWords } from "./agent-words.ts";
import styles from "./copyable.module.css";

// As long as it takes to look back from the terminal that it was pasted into.
const COPIED_MS = 2000;

interface CopyableProps {
  /** What it is, for the name of the button. */
  readonly label: string;
  readonly text: string;
}

export function Copyable({ label, text }: CopyableProps) {
  const t = useWords(agentWords);
  const box = useRef<HTMLPreElement>(null);
  const [copied, sayCopied] = useBriefly<string>(COPIED_MS);
  const isCopied = copied === text;

  function copy(): void {
    copyText(text).then(
      () => sayCopied(text),
      () => {
        if (box.current !== null) getSelection()?.selectAllChildren(box.current);
        notify({ text: t("copyByHand") });
      },
    );
  }

  return (
    <div className={styles["copyable"]}>
      {/* It scrolls sideways, also by the keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre ref={box} tabIndex={0} role="group" aria-label={label}>
        {text}
      </pre>
      <Button aria-label={isCopied ? t("copiedIt", { label }) : t("copyIt", { label })} onClick={copy}>
        {isCopied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
        {isCopied ? t("copied") : t("copy")}
      </Button>
    </div>
  );
}
