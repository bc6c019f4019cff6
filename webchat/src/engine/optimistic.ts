/** What a person does is shown as it will be, before the server has said yes; and as it was, if it says no. */

import type { Message } from "@amtrio/client";
import { changeConversation, type Applied } from "./apply.ts";
import { chat, type ChatConversation } from "./state.ts";
import { changed } from "./timeline.ts";

/** `commit` shows and keeps what was made of the state. */
export async function optimistic(
  commit: (applied: Applied) => void,
  id: string,
  change: Partial<ChatConversation>,
  work: () => Promise<unknown>,
): Promise<void> {
  const before = chat.getState().conversations[id];
  if (before === undefined) return;
  commit(changeConversation(chat.getState(), id, (each) => ({ ...each, ...change })));
  try {
    await work();
  } catch (error) {
    const undone = Object.fromEntries(Object.keys(change).map((key) => [key, before[key as keyof ChatConversation]]));
    commit(changeConversation(chat.getState(), id, (each) => ({ ...each, ...undone })));
    throw error;
  }
}

/** `undo` is given the message as it is by then: the log may have told something of it meanwhile. */
export async function optimisticMessage(
  message: Message,
  change: (message: Message) => Message,
  undo: (message: Message) => Message,
  work: () => Promise<unknown>,
): Promise<void> {
  show(message, change);
  try {
    await work();
  } catch (error) {
    show(message, undo);
    throw error;
  }
}

function show({ conversation_id: id, message_id: messageId }: Message, change: (message: Message) => Message): void {
  chat.setState(({ timelines }) => {
    const timeline = timelines[id];
    return timeline === undefined ? {} : { timelines: { ...timelines, [id]: changed(timeline, messageId, change) } };
  });
}
