/** A question that waits for an answer. */

import { Refused, type Message, type Option, type Question } from "@amtrio/client";
import { useId, useState, type SyntheticEvent } from "react";
import { isComposing } from "../composer/keys.ts";
import { Button } from "../design/button.tsx";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { forgetAnswer, keepAnswer, MAX_ANSWER_CHARS, useBegunAnswer } from "./begun-answers.ts";
import styles from "./question.module.css";
import { TimeLeft } from "./time-left.tsx";
import { words } from "./words.ts";

interface OpenQuestionProps {
  readonly message: Message;
  readonly question: Question;
}

export function OpenQuestion({ message, question }: OpenQuestionProps) {
  const t = useWords(words);
  const actions = useActions();
  const { options, multiple, free_text: takesText } = question;
  const { message_id: id } = message;
  const { chosen, text } = useBegunAnswer(id);
  const [isSending, setIsSending] = useState(false);

  const give = (optionIds: readonly string[]): void => {
    setIsSending(true);
    const said = text.trim();
    const sent = said === "" ? actions.answer(message, optionIds) : actions.answer(message, optionIds, said);
    sent.then(() => forgetAnswer(id), complain).finally(() => setIsSending(false));
  };
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    give(multiple ? chosen : []);
  };
  const canSubmit = (multiple && chosen.length > 0) || (takesText && text.trim() !== "");

  return (
    <form className={styles["form"]} onSubmit={submit} aria-busy={isSending}>
      <fieldset disabled={isSending}>
        <legend className={multiple ? styles["legend"] : "visually-hidden"}>{t(multiple ? "several" : "options")}</legend>
        <div className={styles["options"]} data-several={multiple || undefined}>
          {options.map((option) =>
            multiple ? (
              <Box
                key={option.id}
                option={option}
                isChosen={chosen.includes(option.id)}
                onChange={(on) => {
                  const others = chosen.filter((each) => each !== option.id);
                  keepAnswer(id, { chosen: on ? [...others, option.id] : others });
                }}
              />
            ) : (
              <Choice key={option.id} option={option} onChoose={() => give([option.id])} />
            ),
          )}
        </div>
        {takesText && (
          <label className={styles["words"]}>
            <span>{t(multiple ? "ownWordsToo" : "ownWords")}</span>
            <textarea
              dir="auto"
              rows={2}
              maxLength={MAX_ANSWER_CHARS}
              value={text}
              onChange={(event) => keepAnswer(id, { text: event.target.value })}
              onKeyDown={(event) => {
                const isSend = event.key === "Enter" && !event.shiftKey && !isComposing(event.nativeEvent);
                if (!isSend) return;
                event.preventDefault();
                if (canSubmit) submit(event);
              }}
            />
          </label>
        )}
        {(multiple || takesText) && (
          <Button type="submit" look="primary" disabled={!canSubmit}>
            {t("send")}
          </Button>
        )}
      </fieldset>
      <TimeLeft until={question.expires_at} />
    </form>
  );
}

/** Another device was faster, or nobody needs the answer any more: the card is about to say so. */
function complain(error: unknown): void {
  if (error instanceof Refused && (error.code === "answered" || error.code === "closed")) return;
  notifyError(error);
}

function Choice({ option, onChoose }: { readonly option: Option; readonly onChoose: () => void }) {
  const id = useId();
  const { label, description, style } = option;
  return (
    <div className={styles["choice"]}>
      <Button look={lookOf(style)} onClick={onChoose} aria-describedby={description === undefined ? undefined : id}>
        {label}
      </Button>
      {description !== undefined && <small id={id}>{description}</small>}
    </div>
  );
}

function lookOf(style: Option["style"]): "primary" | "danger" | "plain" {
  if (style === "primary") return "primary";
  return style === "danger" ? "danger" : "plain";
}

interface BoxProps {
  readonly option: Option;
  readonly isChosen: boolean;
  readonly onChange: (on: boolean) => void;
}

function Box({ option, isChosen, onChange }: BoxProps) {
  const id = useId();
  const { label, description } = option;
  return (
    <label className={styles["box"]}>
      <input
        type="checkbox"
        checked={isChosen}
        aria-labelledby={`${id}-label`}
        aria-describedby={description === undefined ? undefined : `${id}-more`}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        <span id={`${id}-label`}>{label}</span>
        {description !== undefined && <small id={`${id}-more`}>{description}</small>}
      </span>
    </label>
  );
}
