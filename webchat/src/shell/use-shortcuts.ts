/** What the shortcuts of the shell do. */

import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { chat } from "../engine/state.ts";
import { openOverlay } from "./overlay.ts";
import { chatPlace, conversationAt, findPlace, LIST, settingsPlace } from "./places.ts";
import { commandOf, type Command } from "./shortcuts.ts";
import { listed, neighbour, unreadNeighbour } from "./sidebar/order.ts";

/** On the whole page, but under no dialog: those have their own keys. */
export function useShortcuts(): void {
  const [path, navigate] = useLocation();
  const lastChat = useRef<string>(undefined);
  const openId = conversationAt(path);
  if (openId !== undefined) lastChat.current = openId;

  useEffect(() => {
    /** In the order of everything that is not archived, whatever the list shows at the moment. */
    function go(step: 1 | -1, isUnread: boolean): void {
      const { conversations, outgoing } = chat.getState();
      const order = listed(conversations, outgoing, "all");
      const next = isUnread ? unreadNeighbour(order, conversations, openId, step) : neighbour(order, openId, step);
      if (next !== undefined) navigate(chatPlace(next));
    }

    const run: Readonly<Record<Command, () => void>> = {
      palette: () => openOverlay("palette"),
      shortcuts: () => openOverlay("shortcuts"),
      "new-chat": () => openOverlay("new-chat"),
      find: () => navigate(findPlace()),
      settings: () => navigate(settingsPlace()),
      "next-chat": () => go(1, false),
      "previous-chat": () => go(-1, false),
      "next-unread": () => go(1, true),
      "previous-unread": () => go(-1, true),
      close: () => navigate(lastChat.current === undefined ? LIST : chatPlace(lastChat.current)),
    };

    function pressed(event: KeyboardEvent): void {
      const command = commandOf(event);
      if (command === undefined || document.querySelector("dialog[open]") !== null) return;
      // In a chat it means other things, to the conversation and its composer.
      if (command === "close" && (openId !== undefined || path === LIST)) return;
      event.preventDefault();
      run[command]();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [path, openId, navigate]);
}
