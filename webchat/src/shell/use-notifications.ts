/** Telling of messages, as long as somebody is signed in. A chunk of its own: the first thing to do is to show a chat. */

import { useEffect } from "react";
import { useLocation } from "wouter";
import { useActions } from "../engine/actions.ts";
import { chat } from "../engine/state.ts";
import { whenIdle } from "./idle.ts";

export function useNotifications(): void {
  const { rest } = useActions();
  const [, navigate] = useLocation();
  useEffect(() => {
    let stop: (() => void) | undefined;
    let isOver = false;
    async function start(): Promise<void> {
      const { startNotifications } = await import("../notifications/start.ts");
      if (!isOver) stop = startNotifications(chat, navigate, rest);
    }
    // Without the chunk, after an update of the server, everything else goes on.
    const leave = whenIdle(() => void start().catch(() => undefined));
    return () => {
      isOver = true;
      leave();
      stop?.();
    };
  }, [navigate, rest]);
}
