/** A message that another one answers, wherever it is. */

import type { Message } from "@amtrio/client";
import { useEffect } from "react";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import type { Quote } from "./rows.ts";

/** Undefined until it has been fetched from wherever it is. */
export function useQuoted({ messageId, message: near }: Quote): Message | undefined {
  const actions = useActions();
  const far = useChat((state) => state.quoted[messageId]);
  const isOnline = useChat((state) => state.link.kind === "online");
  const message = near ?? far;
  const isMissing = message === undefined;
  useEffect(() => {
    if (isMissing) actions.loadQuoted(messageId);
    // Without a connection it may not be to be had; with one it is asked for once more.
  }, [actions, messageId, isMissing, isOnline]);
  return message;
}
