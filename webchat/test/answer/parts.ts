/** Parts, runs and messages for the tests of this folder. */

import type { Message, Meta, PartKind, PartView, Question, RunRecord } from "@amtrio/client";

export function aPart(part: number, kind: PartKind, text = "", meta: Meta = {}): PartView {
  return { part, kind, meta, text, length: [...text].length };
}

export function aRun(run: Partial<RunRecord>): RunRecord {
  return { run_id: "run-1", outcome: "done", parts: [], ...run };
}

export function aQuestion(question: Partial<Question> = {}): Message {
  return {
    message_id: "msg_1",
    conversation_id: "conv_1",
    conversation_seq: 1,
    sender_type: "agent",
    sender_id: "demo",
    content: "Delete it?",
    created_at: "2026-11-25T12:00:00Z",
    question: {
      options: [
        { id: "yes", label: "Delete it", style: "danger", description: "It cannot be undone." },
        { id: "no", label: "Keep it" },
      ],
      multiple: false,
      free_text: false,
      state: "open",
      ...question,
    },
  };
}
