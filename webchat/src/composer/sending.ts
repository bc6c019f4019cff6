/** What is written goes out: as a message, into a running answer, or as the new text of an old message. */

import { Refused, type Message } from "@amtrio/client";
import { begunAnswer, forgetAnswer } from "../answer/begun-answers.ts";
import { emptyTray, sendWhenUploaded, trayOf } from "../attachments/tray.ts";
import { intend, type Intent } from "../conversation/intent.ts";
import { notify } from "../design/toast.tsx";
import type { Actions } from "../engine/actions.ts";
import { problemOf } from "../i18n/problem.ts";
import { sayNow } from "../i18n/words.ts";
import { giveBack, UNDO_MS } from "./giving-back.ts";
import type { Way } from "./ways.ts";
import { words } from "./words.ts";
import { keepEdit } from "./writing.ts";

export interface Letter {
  readonly conversationId: string;
  readonly text: string;
  readonly intent: Intent | undefined;
  /** The run that can be spoken into. */
  readonly runId: string | undefined;
  /** The open question that it answers. */
  readonly question: Message | undefined;
}

/** True: it has left, and the field can be emptied. False: it waits for its files. */
export function dispatch(way: Way, letter: Letter, actions: Actions): boolean {
  const { conversationId, intent, runId, question } = letter;
  const content = cleaned(letter.text);
  if (way === "save" && intent?.kind === "edit") {
    save(intent.message, content, actions);
    return true;
  }
  if (way === "steer" && runId !== undefined) {
    steer(conversationId, runId, content, actions);
    return true;
  }
  if (way === "answer" && question !== undefined) {
    answer(question, content, actions);
    return true;
  }
  const replyTo = intent?.kind === "reply" ? intent.message.message_id : undefined;
  const { files } = trayOf(conversationId);
  if (files.some((each) => each.attachment === undefined)) {
    sendWhenUploaded(conversationId, { content, replyTo }, actions);
    return false;
  }
  actions.send(conversationId, content, { replyTo, attachments: files.map((each) => each.attachment!) });
  emptyTray(conversationId);
  intend(conversationId, undefined);
  return true;
}

/** Without empty lines around it; spaces at its beginning can mean code. */
export function cleaned(text: string): string {
  return text.replace(/^(\s*\n)+/, "").trimEnd();
}

function save(message: Message, content: string, actions: Actions): void {
  const { conversation_id: conversationId, message_id: messageId } = message;
  intend(conversationId, undefined);
  keepEdit(messageId, undefined);
  if (message.deleted) return takeAsDraft(conversationId, content, actions);
  if (content === message.content) return;
  actions.edit(message, content).catch((error: unknown) => {
    if (error instanceof Refused && GONE.has(error.code)) return takeAsDraft(conversationId, content, actions);
    const again = (): void => {
      keepEdit(messageId, content);
      intend(conversationId, { kind: "edit", message });
    };
    const action = { label: sayNow(words, "editAgain"), run: again };
    notify({ text: sayNow(words, "editFailed", { error: problemOf(error) }), tone: "bad", action, forMs: UNDO_MS });
  });
}

/** The message was deleted meanwhile, and no edit can ever be saved. What was written is not lost with it. */
function takeAsDraft(conversationId: string, text: string, actions: Actions): void {
  giveBack({ conversationId, text, said: sayNow(words, "editedIsGone"), tone: "bad" }, actions);
}

function steer(conversationId: string, runId: string, content: string, actions: Actions): void {
  actions.steer(runId, content).catch((error: unknown) => {
    // The answer has ended meanwhile, or takes no words: it is said as what comes next. Nothing was stored.
    if (error instanceof Refused && TOO_LATE.has(error.code)) return actions.send(conversationId, content);
    const action = { label: sayNow(words, "sendInstead"), run: () => actions.send(conversationId, content) };
    notify({ text: sayNow(words, "steerFailed", { error: problemOf(error) }), tone: "bad", action, forMs: UNDO_MS });
  });
}

function answer(question: Message, text: string, actions: Actions): void {
  const { message_id: id, conversation_id: conversationId } = question;
  // Boxes that are ticked in the question belong to the answer.
  const chosen = question.question?.multiple ? begunAnswer(id).chosen : [];
  actions.answer(question, chosen, text).then(
    () => forgetAnswer(id),
    (error: unknown) => {
      const isOver = error instanceof Refused && OVER.has(error.code);
      const said = isOver ? sayNow(words, "answerTooLate") : sayNow(words, "answerFailed", { error: problemOf(error) });
      giveBack({ conversationId, text, said, tone: "bad" }, actions);
    },
  );
}

const GONE = new Set(["conflict", "not_found"]);
const TOO_LATE = new Set(["run_closed", "unsupported", "not_found"]);
// Another device was faster, or nobody needs it any more.
const OVER = new Set(["answered", "closed"]);
