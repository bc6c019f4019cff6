/** A short talk, drawn: what this is, before a word is read. Decoration; nothing in it is said to screen readers. */

import { Check, CheckCheck } from "lucide-react";
import { useWords } from "../i18n/words.ts";
import styles from "./scene.module.css";
import { words } from "./words.ts";

export function Scene() {
  const t = useWords(words);
  return (
    <div className={styles["scene"]} aria-hidden>
      <p className={styles["own"]}>
        {t("sceneAsk")}
        <CheckCheck size={15} />
      </p>
      <p className={styles["tool"]}>
        <Check size={15} /> {t("sceneTool")} <small>2.1 s</small>
      </p>
      <p className={styles["other"]}>{t("sceneAnswer")}</p>
      <p className={styles["own"]}>
        {t("sceneThanks")}
        <CheckCheck size={15} />
      </p>
      <p className={styles["writing"]}>
        <i />
        <i />
        <i />
      </p>
    </div>
  );
}
