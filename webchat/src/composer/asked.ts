/** The question that waits for words while an answer runs: what is written in the field answers it, unless one says otherwise. */

import type { Message } from "@amtrio/client";
import { useEffect, useState, type RefObject } from "react";
import { useIsPast } from "../answer/use-time-left.ts";
import { useChat } from "../engine/state.ts";

const NO_MESSAGES: readonly Message[] = [];

/** Of the answer that runs: asked since the person last said something that began one. */
export function openQuestion(messages: readonly Message[]): Message | undefined {
  for (const message of messages.toReversed()) {
    const { deleted, question, sender_type: sender, queued, steers } = message;
    if (deleted) continue;
    if (question?.state === "open" && question.free_text) return message;
    if (sender === "client" && !queued && steers === undefined) return undefined;
  }
  return undefined;
}

export interface Asked {
  readonly message: Message;
  /** Whether what is written answers it. */
  readonly isAnswered: boolean;
  /** Otherwise, and back in the field. */
  readonly choose: (isAnswered: boolean) => void;
}

export function useAsked(conversationId: string, isRunning: boolean, field: RefObject<HTMLTextAreaElement | null>): Asked | undefined {
  const known = useChat((state) => state.timelines[conversationId]?.messages) ?? NO_MESSAGES;
  const message = isRunning ? openQuestion(known) : undefined;
  const isPast = useIsPast(message?.question?.expires_at);
  const id = message?.message_id;
  const [choice, setChoice] = useState<{ readonly id: string; readonly isAnswered: boolean }>();

  useEffect(() => {
    // What was being written when it came is no answer to it.
    if (id !== undefined) setChoice({ id, isAnswered: field.current!.value === "" });
  }, [id, field]);

  if (message === undefined || isPast) return undefined;
  return {
    message,
    isAnswered: choice !== undefined && choice.id === id && choice.isAnswered,
    choose(isAnswered) {
      setChoice({ id: message.message_id, isAnswered });
      field.current!.focus();
    },
  };
}
