/**
 * Another chat with an agent, which nobody has to name: its first message does.
 *
 * Until then it bears a title that says so, since the server has no second chat of an agent without one
 * (docs/protocol.md, "Conversations"). Whether it still does is seen by that title alone, on every device and after
 * every reload. A title is not encrypted: what was said in an encrypted chat gives it none.
 */

import { useEffect } from "react";
import { useActions, type Actions } from "../engine/actions.ts";
import { chat, type ChatConversation, type ChatState } from "../engine/state.ts";
import { sayNow } from "../i18n/words.ts";
import { oneLine } from "./one-line.ts";
import { words } from "./words.ts";

// What a row of the list and the top of a phone have room for.
const TITLE_AT_MOST = 40;

/** Its id. One in which nothing was said yet is as good as new. */
export async function beginChat(actions: Pick<Actions, "openConversation">, agentId: string): Promise<string> {
  const all = Object.values(chat.getState().conversations).filter((each) => each.agent_id === agentId);
  if (!all.some((each) => each.is_default)) return actions.openConversation(agentId);
  const unused = all.find((each) => isUnnamed(each) && each.lastSeq === 0 && !each.archived);
  return unused?.conversation_id ?? actions.openConversation(agentId, sayNow(words, "newChat"));
}

/** Somebody said the first words in a chat that nobody has named: it is called by them. */
export function useFirstTitles(): void {
  const actions = useActions();
  useEffect(() => {
    // What the server refused is tried again by the next message, and not by every change of the list.
    const tried = new Map<string, string>();
    const look = (state: ChatState): void => {
      for (const each of Object.values(state.conversations)) {
        const { conversation_id: id, last } = each;
        if (last === null || !isUnnamed(each) || tried.get(id) === last.message_id) continue;
        const title = firstTitle(each, state.timelines);
        if (title === "") continue;
        tried.set(id, last.message_id);
        actions.rename(id, title).catch(() => undefined);
      }
    };
    look(chat.getState());
    return chat.subscribe((state, before) => {
      if (state.conversations !== before.conversations) look(state);
    });
  }, [actions]);
}

/** By what the person said first, as far as it is known; empty: by nothing yet. */
export function firstTitle({ conversation_id: id, last }: ChatConversation, timelines: ChatState["timelines"]): string {
  const timeline = timelines[id];
  const known = timeline === undefined || timeline.hasOlder ? [] : timeline.messages;
  for (const { sender_type: sender, kind, content } of last === null ? known : [...known, last]) {
    if (sender !== "client" || kind === "encrypted") continue;
    const title = shortened(oneLine(content));
    if (title !== "") return title;
  }
  return "";
}

function isUnnamed({ is_default: isDefault, title }: ChatConversation): boolean {
  return !isDefault && Object.values(words).some((each) => each.newChat === title);
}

/** The first words of it; the first characters, if it is one long word. */
export function shortened(text: string): string {
  const characters = [...text];
  if (characters.length <= TITLE_AT_MOST) return text;
  const first = characters.slice(0, TITLE_AT_MOST).join("");
  const end = characters[TITLE_AT_MOST] === " " ? first.length : first.lastIndexOf(" ");
  return `${(end > 0 ? first.slice(0, end) : first).replace(/[\s,;:.–—-]+$/, "")}…`;
}
