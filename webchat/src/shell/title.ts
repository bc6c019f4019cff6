/** What the tab is called: how much is unread, what is shown, and the app. */

import { useEffect } from "react";
import { useLocation } from "wouter";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { unreadTotal } from "../notifications/muted.ts";
import { chatName } from "./names.ts";
import { conversationAt } from "./places.ts";
import { words } from "./words.ts";

const APP = "amtrio";

export function titleOf(unread: number, view: string | undefined): string {
  return `${unread > 0 ? `(${unread}) ` : ""}${view === undefined ? APP : `${view} · ${APP}`}`;
}

export function useTitle(): void {
  const t = useWords(words);
  const [path] = useLocation();
  const id = conversationAt(path);
  const name = useChat(({ conversations, agents }) => {
    const conversation = id === undefined ? undefined : conversations[id];
    return conversation === undefined ? undefined : chatName(conversation, agents);
  });
  const unread = useChat((state) => unreadTotal(state.conversations));
  const section = path.split("/", 2)[1];
  const view = section === "find" || section === "settings" || section === "manage" ? t(section) : name;
  useEffect(() => {
    document.title = titleOf(unread, view);
  }, [unread, view]);
}
