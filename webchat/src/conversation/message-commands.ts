/** What a person can do with one message, from the menu and by keys alike. */

import { Refused, type Message } from "@amtrio/client";
import { useMemo } from "react";
import { spelled } from "../composer/emoji-spelling.ts";
import { giveBack } from "../composer/giving-back.ts";
import { notify, notifyError } from "../design/toast.tsx";
import { useActions, type Actions } from "../engine/actions.ts";
import { chat, isSecret } from "../engine/state.ts";
import { sayNow } from "../i18n/words.ts";
import { copyText } from "../markdown/copying.ts";
import { intend } from "./intent.ts";
import { textIn } from "./message-text.ts";
import { keepAfterAll, removeLater, UNDO_MS } from "./removals.ts";
import { words } from "./words.ts";

export type MessageCommands = ReturnType<typeof commandsWith>;

export function useMessageCommands(): MessageCommands {
  const actions = useActions();
  return useMemo(() => commandsWith(actions), [actions]);
}

/**
 * The server has the last word; what is offered is what it will hardly refuse. In an encrypted chat nothing is: the new text
 * of a message from before would go in the clear.
 */
export function canEdit(message: Message): boolean {
  const secrecy = chat.getState().secrecy[message.conversation_id];
  return message.sender_type === "client" && message.kind !== "encrypted" && !message.deleted && !isSecret(secrecy);
}

/** What can be asked once more at a message: its own words, or those that it answers. Not what came with files: they belong to it. */
export function questionAt(message: Message): Message | undefined {
  const { timelines, plain } = chat.getState();
  const known = timelines[message.conversation_id]?.messages ?? [];
  const isOwn = message.sender_type === "client";
  const asked = isOwn ? message : known.find((each) => each.message_id === message.reply_to && each.sender_type === "client");
  const isWhole = asked !== undefined && !asked.deleted && !asked.queued && (asked.attachments ?? []).length === 0;
  return isWhole && textIn(plain, asked) ? asked : undefined;
}

export function hasReacted(message: Message, emoji: string, userId: string | undefined): boolean {
  const wanted = spelled(emoji);
  return message.reactions?.some((each) => each.emoji === wanted && each.account_kind === "user" && each.account_id === userId) ?? false;
}

function commandsWith(actions: Actions) {
  return {
    reply(message: Message): void {
      intend(message.conversation_id, { kind: "reply", message });
    },
    edit(message: Message): void {
      intend(message.conversation_id, { kind: "edit", message });
    },
    react(message: Message, emoji: string): void {
      const isOn = hasReacted(message, emoji, chat.getState().self?.userId);
      // As the server will store it: what is shown at once is then what comes back.
      actions.react(message, spelled(emoji), !isOn).catch(notifyError);
    },
    /** Of one conversation, oldest first. What they said comes back into the field; what went wrong is said once. */
    async withdraw(...messages: readonly Message[]): Promise<void> {
      const { plain } = chat.getState();
      const texts = messages.map((message) => textIn(plain, message) ?? "");
      const ends = await Promise.allSettled(messages.map((message) => actions.withdraw(message)));
      sayWhyNotWithdrawn(messages.length, ends.flatMap((end): unknown[] => (end.status === "rejected" ? [end.reason] : [])));
      const withdrawn = texts.filter((_, at) => ends[at]!.status === "fulfilled");
      if (withdrawn.length === 0) return;
      const conversationId = messages[0]!.conversation_id;
      const text = withdrawn.filter((each) => each !== "").join("\n\n");
      giveBack({ conversationId, text, said: sayNow(words, "withdrawn", { n: withdrawn.length }) }, actions);
    },
    askAgain(asked: Message): void {
      actions.send(asked.conversation_id, textIn(chat.getState().plain, asked) ?? "");
    },
    /** After it was asked whether it is meant. */
    remove(message: Message): void {
      const dismiss = notify({
        text: sayNow(words, "removed"),
        forMs: UNDO_MS,
        action: { label: sayNow(words, "undo"), run: () => keepAfterAll(message.message_id) },
      });
      removeLater(message, actions.remove.bind(actions), (error) => {
        dismiss();
        notifyError(error);
      });
    },
    copyText(message: Message): void {
      copy(textIn(chat.getState().plain, message) ?? "");
    },
    copyLink(message: Message): void {
      const { conversation_id: conversationId, message_id: messageId } = message;
      copy(`${location.origin}/c/${encodeURIComponent(conversationId)}?m=${encodeURIComponent(messageId)}`);
    },
  };
}

function sayWhyNotWithdrawn(count: number, errors: readonly unknown[]): void {
  const others = errors.filter((error) => !isTaken(error));
  const taken = errors.length - others.length;
  if (count === 1 && taken === 1) notify({ text: sayNow(words, "takenAlready") });
  else if (taken > 0) notify({ text: sayNow(words, "someTaken", { n: taken }) });
  if (others.length > 0) notifyError(others[0]);
}

/** The agent has it. */
function isTaken(error: unknown): boolean {
  return error instanceof Refused && error.code === "taken";
}

function copy(text: string): void {
  copyText(text).then(
    () => notify({ text: sayNow(words, "copied"), forMs: 1500 }),
    () => notify({ text: sayNow(words, "notCopied"), tone: "bad" }),
  );
}
