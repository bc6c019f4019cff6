/** What is muted, and until when. */

import { serverNow } from "../engine/server-clock.ts";
import type { ChatConversation } from "../engine/state.ts";

/** As the protocol has it; docs/protocol.md, "Own state". */
export const FOR_EVER = "9999-12-31T23:59:59.999Z";

export function isMuted(until: string | null | undefined, now = serverNow()): boolean {
  return until !== null && until !== undefined && Date.parse(until) > now;
}

/** For titles and badges: messages that nobody has read, of conversations that may be heard. */
export function unreadTotal(conversations: Readonly<Record<string, ChatConversation>>, now = serverNow()): number {
  let total = 0;
  for (const each of Object.values(conversations)) {
    if (each.unread > 0 && !isMuted(each.muted_until, now)) total += each.unread;
  }
  return total;
}
