/**
 * The stretch of a conversation that is in memory. Pure functions over values.
 *
 * `conversation_seq` counts 1, 2, 3 … without gaps, so that a stretch without holes is known by its numbers alone.
 */

import type { Message, Reaction } from "@amtrio/client";
import type { Timeline } from "./state.ts";

export const NOTHING: Timeline = { messages: [], hasOlder: true, hasNewer: false, loading: null, error: null };

/** A stretch that was read from somewhere; `lastSeq` is the newest message of the conversation. */
export function stretch(messages: readonly Message[], lastSeq: number): Timeline {
  const [first, last] = [messages[0], messages.at(-1)];
  return {
    messages,
    hasOlder: first !== undefined && first.conversation_seq > 1,
    hasNewer: last !== undefined && last.conversation_seq < lastSeq,
    loading: null,
    error: null,
  };
}

/** A message that was said or changed. `hole`: it does not follow what is here. */
export function withMessage(timeline: Timeline, message: Message): Timeline | "hole" {
  const { messages } = timeline;
  const last = messages.at(-1);
  if (last === undefined && message.conversation_seq === 1) return stretch([message], 1);
  if (last === undefined) return "hole";
  if (message.conversation_seq <= last.conversation_seq) return replaced(timeline, message);
  // It is opened in the past, and comes to this one in its time.
  if (timeline.hasNewer) return timeline;
  if (message.conversation_seq !== last.conversation_seq + 1) return "hole";
  return { ...timeline, messages: [...messages, message] };
}

/** Older ones in front, or newer ones behind; what overlaps is taken from `more`. */
export function joined(timeline: Timeline, more: readonly Message[], lastSeq: number): Timeline {
  if (more.length === 0) return { ...timeline, loading: null, error: null };
  const [first, last] = [more[0]!.conversation_seq, more.at(-1)!.conversation_seq];
  const before = timeline.messages.filter((each) => each.conversation_seq < first);
  const after = timeline.messages.filter((each) => each.conversation_seq > last);
  return stretch([...before, ...more, ...after], Math.max(lastSeq, after.at(-1)?.conversation_seq ?? last));
}

/** Whether numbers follow each other without a hole. */
export function isWhole(messages: readonly Message[]): boolean {
  return messages.every((each, at) => at === 0 || each.conversation_seq === messages[at - 1]!.conversation_seq + 1);
}

/** One message as `change` makes it; the same timeline if it is not here. */
export function changed(timeline: Timeline, messageId: string, change: (message: Message) => Message): Timeline {
  const at = indexOf(timeline.messages, messageId);
  if (at < 0) return timeline;
  const now = change(timeline.messages[at]!);
  if (now === timeline.messages[at]) return timeline;
  const messages = [...timeline.messages];
  messages[at] = now;
  return { ...timeline, messages };
}

export function withReaction(message: Message, reaction: Reaction, on: boolean): Message {
  const isSame = (each: Reaction): boolean =>
    each.emoji === reaction.emoji && each.account_id === reaction.account_id && each.account_kind === reaction.account_kind;
  const { reactions = [], ...rest } = message;
  const others = reactions.filter((each) => !isSame(each));
  if (on && others.length !== reactions.length) return message;
  const now = on ? [...others, reaction] : others;
  return now.length > 0 ? { ...rest, reactions: now } : rest;
}

function replaced(timeline: Timeline, message: Message): Timeline {
  const first = timeline.messages[0]!.conversation_seq;
  const at = message.conversation_seq - first;
  if (at < 0) return timeline;
  const messages = [...timeline.messages];
  messages[at] = message;
  return { ...timeline, messages };
}

// From the end: what changes is new, nearly always.
function indexOf(messages: readonly Message[], messageId: string): number {
  for (let at = messages.length - 1; at >= 0; at -= 1) if (messages[at]!.message_id === messageId) return at;
  return -1;
}
