/** Telling of messages while the app runs: sound, notices of the system, the number on its icon. */

import type { Message, Rest } from "@amtrio/client";
import type { StoreApi } from "zustand/vanilla";
import { arrivals, quietChanges } from "../engine/arrivals.ts";
import { serverNow } from "../engine/server-clock.ts";
import type { ChatState } from "../engine/state.ts";
import { sayNow } from "../i18n/words.ts";
import { chatName } from "../shell/names.ts";
import { oneLine } from "../shell/one-line.ts";
import { chatPlace, conversationAt } from "../shell/places.ts";
import { shouldNotify } from "./arrivals.ts";
import { keepBadge } from "./badge.ts";
import { DesktopNotices, type Notice } from "./desktop.ts";
import { preferences } from "./preferences.ts";
import { refreshPush } from "./push.ts";
import { askQuiet, forgetQuiet, keepQuiet, quietPreferences, recallQuiet } from "./server-preferences.ts";
import { armSound, playTone } from "./sound.ts";
import { becomeSpeaker } from "./speaker.ts";
import { words } from "./words.ts";

/** Until the function that it returns is called. */
export function startNotifications(
  store: StoreApi<ChatState>,
  navigate: (place: string) => void,
  rest: Rest,
): () => void {
  const speaker = becomeSpeaker();
  const notices = new DesktopNotices(({ conversationId, messageId }) => {
    window.focus();
    navigate(chatPlace(conversationId, messageId));
  });

  function arrived(message: Message): void {
    const { self, conversations } = store.getState();
    const isWatching = document.visibilityState === "visible" && document.hasFocus();
    const { notify } = shouldNotify(message, {
      selfId: self?.userId,
      conversation: conversations[message.conversation_id],
      watchedId: isWatching ? conversationAt(location.pathname) : undefined,
      quiet: quietPreferences(),
      isSpeaker: speaker.isSpeaker,
      now: serverNow(),
    });
    if (!notify) return;
    const { sound, desktop, preview } = preferences();
    if (sound) playTone();
    if (desktop && !isWatching) notices.show(noticeOf(message, store.getState(), preview));
  }

  recallQuiet(store.getState().self?.userId);
  const ask = (): void => void askQuiet(rest).catch(() => undefined);
  // Once is enough; a server that was away at that moment knows this device already.
  refreshPush(rest).catch(() => undefined);
  if (store.getState().link.kind === "online") ask();
  const stops = [
    keepBadge(store),
    armSound(),
    arrivals.subscribe(arrived),
    quietChanges.subscribe(keepQuiet),
    store.subscribe((state, before) => {
      // Another device may have changed it in the meantime.
      if (state.link.kind === "online" && before.link.kind !== "online") ask();
      if (state.conversations !== before.conversations) notices.close((id) => state.conversations[id]?.readUpTo);
    }),
    () => speaker.stop(),
    forgetQuiet,
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function noticeOf(message: Message, state: ChatState, hasPreview: boolean): Notice {
  const conversation = state.conversations[message.conversation_id]!;
  return {
    conversationId: message.conversation_id,
    messageId: message.message_id,
    seq: message.conversation_seq,
    title: chatName(conversation, state.agents),
    body: (hasPreview && textOf(message, state.plain[message.message_id])) || sayNow(words, "newMessage"),
  };
}

/** Empty if there is nothing to read. */
function textOf(message: Message, plain: string | null | undefined): string {
  // One that is not opened (yet) says nothing, not even that it brings files.
  if (message.kind === "encrypted" && typeof plain !== "string") return "";
  const text = oneLine(message.kind === "encrypted" ? plain! : message.content);
  return text === "" && (message.attachments?.length ?? 0) > 0 ? sayNow(words, "newFile") : text;
}
