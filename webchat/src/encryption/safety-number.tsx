/** Digits to be compared by two people: large, in groups that can be read out, and to be copied. */

import { Check, Copy } from "lucide-react";
import { useId } from "react";
import { useBriefly } from "../design/briefly.ts";
import { Button } from "../design/button.tsx";
import { notify } from "../design/toast.tsx";
import { useWords } from "../i18n/words.ts";
import { copyText } from "../markdown/copying.ts";
import styles from "./safety-number.module.css";
import { words } from "./words.ts";

// Long enough to be seen.
const COPIED_MS = 1500;

/** Digits in groups of five. */
export function Digits({ label, digits }: { readonly label: string; readonly digits: string }) {
  const t = useWords(words);
  const heading = useId();
  const [isCopied, sayCopied] = useBriefly<true>(COPIED_MS);
  const groups = digits.match(/.{1,5}/g) ?? [];
  const copy = (): void => {
    copyText(groups.join(" ")).then(
      () => sayCopied(true),
      () => notify({ text: t("copy_failed"), tone: "bad" }),
    );
  };
  return (
    <div className={styles["digits"]} role="group" aria-labelledby={heading}>
      <header className={styles["header"]}>
        <h3 id={heading}>{label}</h3>
        <Button look="quiet" onClick={copy}>
          {isCopied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
          {t(isCopied ? "copied" : "copy")}
        </Button>
      </header>
      {/* In one paragraph with spaces between, so that it is selected and read out as it is shown. */}
      <p className={styles["groups"]}>
        {groups.map((group, place) => (
          // A number never changes its groups one by one.
          <span key={place}>{group} </span>
        ))}
      </p>
    </div>
  );
}
