/** The question that waits for words while an answer runs: what is written in the field answers it, unless one says otherwise. */

import type { Message } from "@amtrio/client";
import { useEffect, useState, type RefObject } from "react";
import { useWaitingQuestion } from "../answer/waiting-question.ts";

export interface Asked {
  readonly message: Message;
  /** Whether what is written answers it. */
  readonly isAnswered: boolean;
  /** Otherwise, and back in the field. */
  readonly choose: (isAnswered: boolean) => void;
}

export function useAsked(conversationId: string, field: RefObject<HTMLTextAreaElement | null>): Asked | undefined {
  const waiting = useWaitingQuestion(conversationId);
  const message = waiting?.question?.free_text ? waiting : undefined;
  const id = message?.message_id;
  const [choice, setChoice] = useState<{ readonly id: string; readonly isAnswered: boolean }>();

  useEffect(() => {
    // What was being written when it came is no answer to it.
    if (id !== undefined) setChoice({ id, isAnswered: field.current!.value === "" });
  }, [id, field]);

  if (message === undefined) return undefined;
  return {
    message,
    isAnswered: choice !== undefined && choice.id === id && choice.isAnswered,
    choose(isAnswered) {
      setChoice({ id: message.message_id, isAnswered });
      field.current!.focus();
    },
  };
}
