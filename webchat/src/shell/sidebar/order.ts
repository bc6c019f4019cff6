/**
 * Which conversations the list shows, and in which order. Pure.
 *
 * Pinned ones stand first, then whatever moved last: a message of either side, also one that waits for a connection.
 */

import type { ChatConversation, Outgoing } from "../../engine/state.ts";
import { isMuted } from "../../notifications/muted.ts";

/** `#travel`: those with that tag. */
export type Filter = "all" | "unread" | "archived" | `#${string}`;

type Conversations = Readonly<Record<string, ChatConversation>>;
type Waiting = Readonly<Record<string, readonly Outgoing[]>>;

/** Ids. The open one stays under `unread` although it has been read by being open: rows do not vanish under the hand. */
export function listed(conversations: Conversations, outgoing: Waiting, filter: Filter, openId?: string): string[] {
  const rows: { id: string; pinned: boolean; at: number }[] = [];
  for (const each of Object.values(conversations)) {
    const id = each.conversation_id;
    if (!passes(each, filter) && !(filter === "unread" && id === openId && !each.archived)) continue;
    rows.push({ id, pinned: each.pinned, at: movedAt(each, outgoing[id]) });
  }
  // The id makes the order whole: two of the same millisecond must not change places at every event.
  rows.sort((a, b) => Number(b.pinned) - Number(a.pinned) || b.at - a.at || (a.id < b.id ? -1 : 1));
  return rows.map((row) => row.id);
}

/** The tags in use, without the archive, in alphabetical order. */
export function tagsOf(conversations: Conversations): string[] {
  const tags = new Set<string>();
  for (const each of Object.values(conversations)) if (!each.archived) for (const tag of each.tags) tags.add(tag);
  return [...tags].sort((a, b) => a.localeCompare(b));
}

/** The one before or after in the list, round its ends; the first or last if none of it is open. */
export function neighbour(order: readonly string[], openId: string | undefined, step: 1 | -1): string | undefined {
  const at = openId === undefined ? -1 : order.indexOf(openId);
  if (at === -1) return order.at(step === 1 ? 0 : -1);
  return order[(at + step + order.length) % order.length];
}

/** The same, among those with something unread that is not muted. */
export function unreadNeighbour(
  order: readonly string[],
  conversations: Conversations,
  openId: string | undefined,
  step: 1 | -1,
): string | undefined {
  const calls = ({ unread, muted_until: until }: ChatConversation): boolean => unread > 0 && !isMuted(until);
  const wanted = order.filter((id) => id === openId || calls(conversations[id]!));
  const next = neighbour(wanted, openId, step);
  return next === openId ? undefined : next;
}

function passes(conversation: ChatConversation, filter: Filter): boolean {
  switch (filter) {
    case "all":
      return !conversation.archived;
    case "unread":
      return !conversation.archived && conversation.unread > 0;
    case "archived":
      return conversation.archived;
    default:
      return !conversation.archived && conversation.tags.includes(filter.slice(1));
  }
}

/** Milliseconds since 1970. */
function movedAt(conversation: ChatConversation, waiting: readonly Outgoing[] | undefined): number {
  const said = Date.parse(conversation.last?.created_at ?? conversation.created_at);
  return Math.max(said, waiting?.at(-1)?.createdAt ?? 0);
}
