/**
 * What stands in the field: the draft of the conversation, or the text of the message that is being changed.
 *
 * Lives in the composer, so that typing draws nothing else anew. What is written is kept a moment later, and at once
 * when the field or the page is left.
 */

import type { Message } from "@amtrio/client";
import { useCallback, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { useActions } from "../engine/actions.ts";
import { chat, useChat } from "../engine/state.ts";

// Often enough that a crash costs a word; a database write per keystroke would be felt on a phone.
export const KEEP_AFTER_MS = 400;

/** Changes to messages that are not saved yet, by message id: they outlive a look at another chat. */
const edits = createStore<Readonly<Record<string, string | undefined>>>(() => ({}));

chat.subscribe((now, before) => {
  if (now.self === null && before.self !== null) edits.setState({}, true);
});

/** What keeps what is typed, of fields that are shown, by conversation. */
const keepers = new Map<string, () => void>();

/** Keep it now, and let the field take over what comes from elsewhere. */
export function keepWriting(conversationId: string): void {
  keepers.get(conversationId)?.();
}

export function keepEdit(messageId: string, text: string | undefined): void {
  edits.setState({ [messageId]: text });
}

export interface Writing {
  readonly text: string;
  readonly write: (text: string) => void;
  /** It has been sent. */
  readonly clear: () => void;
  /** For `onBlur`: keep it now, and take over what another tab writes from here on. */
  readonly leave: () => void;
}

export function useWriting(conversationId: string, edited: Message | undefined): Writing {
  const actions = useActions();
  const stored = useChat((state) => state.drafts[conversationId]) ?? "";
  const [draft, setDraft] = useState(stored);
  const edit = useStore(edits, (state) => (edited === undefined ? undefined : state[edited.message_id]));
  /** Not kept yet. */
  const pending = useRef<string>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  /** Something was written here since the field got the focus. */
  const isTouched = useRef(false);

  const keep = useCallback(() => {
    clearTimeout(timer.current);
    if (pending.current === undefined) return;
    actions.setDraft(conversationId, pending.current);
    pending.current = undefined;
  }, [actions, conversationId]);

  const leave = useCallback(() => {
    keep();
    isTouched.current = false;
  }, [keep]);

  useEffect(() => {
    if (!isTouched.current) setDraft(stored);
  }, [stored]);

  useEffect(() => {
    keepers.set(conversationId, leave);
    return () => void keepers.delete(conversationId);
  }, [conversationId, leave]);

  useEffect(() => {
    const keepIfHidden = (): void => {
      if (document.visibilityState === "hidden") keep();
    };
    addEventListener("pagehide", keep);
    document.addEventListener("visibilitychange", keepIfHidden);
    return () => {
      removeEventListener("pagehide", keep);
      document.removeEventListener("visibilitychange", keepIfHidden);
      keep();
    };
  }, [keep]);

  return {
    text: edited === undefined ? draft : (edit ?? edited.content),
    write(text) {
      if (edited !== undefined) return keepEdit(edited.message_id, text);
      isTouched.current = true;
      setDraft(text);
      pending.current = text;
      clearTimeout(timer.current);
      timer.current = setTimeout(keep, KEEP_AFTER_MS);
    },
    clear() {
      setDraft("");
      pending.current = "";
      keep();
    },
    leave,
  };
}
