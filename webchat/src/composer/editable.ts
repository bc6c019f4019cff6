/** Which own message Up in an empty field brings back. */

import type { Message } from "@amtrio/client";
import { canEdit } from "../conversation/message-commands.ts";
import { chat } from "../engine/state.ts";

export function lastEditable(conversationId: string): Message | undefined {
  return chat.getState().timelines[conversationId]?.messages.findLast((each) => canEdit(each) && each.content !== "");
}
