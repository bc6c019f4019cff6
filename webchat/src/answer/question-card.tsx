/** What an agent asks, to be answered by buttons, boxes or words. Its text is shown by the bubble around this. */

import type { Message, Question } from "@amtrio/client";
import { useEffect, useRef } from "react";
import { OpenQuestion } from "./open-question.tsx";
import styles from "./question.module.css";
import { SettledQuestion } from "./settled-question.tsx";
import { useIsPast } from "./use-time-left.ts";

export function QuestionCard({ message }: { readonly message: Message }) {
  const { question } = message;
  return question === undefined ? null : <Card message={message} question={question} />;
}

function Card({ message, question }: { readonly message: Message; readonly question: Question }) {
  const isPast = useIsPast(question.expires_at);
  const state = question.state === "open" && isPast ? "expired" : question.state;
  const card = useRef<HTMLDivElement>(null);
  const hadFocus = useRef(false);
  useEffect(() => {
    // The button that was pressed is gone; whoever uses the keyboard must not be thrown to the top of the page.
    const isLost = hadFocus.current && document.activeElement === document.body;
    if (state !== "open" && isLost) card.current?.focus({ preventScroll: true });
  }, [state]);
  return (
    <div
      ref={card}
      className={styles["question"]}
      data-state={state}
      tabIndex={-1}
      onFocus={() => {
        hadFocus.current = true;
      }}
      onBlur={(event) => {
        // React takes the button away without a word of where the focus goes.
        if (event.relatedTarget !== null) hadFocus.current = card.current?.contains(event.relatedTarget) ?? false;
      }}
    >
      {state === "open" ? (
        <OpenQuestion message={message} question={question} />
      ) : (
        <SettledQuestion question={question} state={state} />
      )}
    </div>
  );
}
