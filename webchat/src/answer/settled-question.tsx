/** A question that takes no answer any more: what was answered and by whom, or why not. */

import type { Answer, Question } from "@amtrio/client";
import { Check } from "lucide-react";
import { useChat } from "../engine/state.ts";
import { fullTime, shortWhen } from "../i18n/dates.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./question.module.css";
import { words } from "./words.ts";

interface SettledQuestionProps {
  readonly question: Question;
  readonly state: string;
}

export function SettledQuestion({ question, state }: SettledQuestionProps) {
  const t = useWords(words);
  const { options, answer } = question;
  const isChosen = (id: string): boolean => answer?.option_ids.includes(id) ?? false;
  return (
    <div className={styles["settled"]}>
      <ul className={styles["options"]}>
        {options.map(({ id, label }) => (
          <li key={id} className={styles["past"]} data-chosen={isChosen(id) || undefined}>
            {isChosen(id) && <Check size={16} aria-hidden />}
            {label}
            {isChosen(id) && <span className="visually-hidden">, {t("wasChosen")}</span>}
          </li>
        ))}
      </ul>
      {answer?.text !== undefined && answer.text !== "" && <blockquote className={styles["said"]}>{answer.text}</blockquote>}
      {answer === undefined ? <p className={styles["note"]}>{t(state === "expired" ? "expired" : "closed")}</p> : <By answer={answer} />}
    </div>
  );
}

function By({ answer }: { readonly answer: Answer }) {
  const t = useWords(words);
  const isSelf = useChat((state) => state.self?.userId === answer.answered_by);
  const at = new Date(answer.answered_at);
  const who = isSelf ? t("you") : answer.answered_by;
  return (
    <p className={styles["note"]} title={fullTime(at)}>
      {t("answeredBy", { who, when: shortWhen(at) })}
    </p>
  );
}
