/**
 * Where the list is when it appears, and how it gets to a message that somebody asked for: the message of a link, else
 * the first unread one, else where one was last time, else the end.
 */

import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { chat, type Timeline } from "../engine/state.ts";
import type { Following } from "./following.ts";
import { itemAt, type ListVirtualizer } from "./list-virtualizer.ts";
import type { Position } from "./positions.ts";
import { indexOfMessage, type Row } from "./rows.ts";

export const FLASH_MS = 1000;
/** All that is new fits on the screen, and some of what was read: then the end is the better place. */
const FITS = 0.8;
/** Pages that are fetched to find it. */
const PAGES_AT_MOST = 5;

interface OpeningOptions {
  readonly conversationId: string;
  /** Of a link. */
  readonly messageId: string | undefined;
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly rows: readonly Row[];
  readonly timeline: Timeline;
  readonly virtualizer: ListVirtualizer;
  readonly following: Following;
  readonly position: Position | undefined;
  readonly focus: (key: string) => void;
}

interface Opening {
  /** Key of the row that was jumped to just now. */
  readonly flashing: string | undefined;
  /** The list is not yet where it is about to be. */
  readonly isSeeking: boolean;
  reveal(messageId: string): void;
}

export function useOpening(options: OpeningOptions): Opening {
  const { conversationId, messageId, scroller, rows, timeline, virtualizer, following, position, focus } = options;
  const actions = useActions();
  const [target, setTarget] = useState<string>();
  const [flashing, setFlashing] = useState<string>();
  const [isSeeking, setSeeking] = useState(messageId !== undefined);
  const looksForUnread = useRef(messageId === undefined && unreadIn(conversationId) > 0);
  const pages = useRef(0);

  // Where it begins.
  useLayoutEffect(() => {
    if (messageId !== undefined) return;
    const index = position?.anchor === undefined ? -1 : rows.findIndex((row) => row.key === position.anchor!.key);
    const item = itemAt(virtualizer, index);
    if (item !== undefined && !looksForUnread.current) {
      virtualizer.scrollToOffset(item.start + position!.anchor!.above);
      return;
    }
    if (timeline.hasNewer) virtualizer.scrollToEnd();
    else following.start();
    // Once: from then on it is the reader who moves it.
    // oxlint-disable-next-line react/exhaustive-deps -- once
  }, []);

  // The first unread message may be known only later, or lie further back.
  useLayoutEffect(() => {
    if (!looksForUnread.current) return;
    const index = rows.findIndex((row) => row.isFirstUnread);
    if (index >= 0) {
      looksForUnread.current = false;
      const item = itemAt(virtualizer, index);
      if (item === undefined) return;
      if (virtualizer.getTotalSize() - item.start < scroller.current!.clientHeight * FITS) return;
      following.stop();
      virtualizer.scrollToIndex(index, { align: "start" });
    } else if (timeline.hasOlder && timeline.loading === null && pages.current < PAGES_AT_MOST) {
      pages.current += 1;
      actions.loadOlder(conversationId);
    }
  }, [rows, timeline, virtualizer, following, actions, conversationId, scroller]);
  useEffect(() => {
    const element = scroller.current!;
    const stop = (): void => {
      looksForUnread.current = false;
    };
    const kinds = ["wheel", "touchmove", "keydown"] as const;
    for (const kind of kinds) element.addEventListener(kind, stop, { passive: true });
    return () => {
      for (const kind of kinds) element.removeEventListener(kind, stop);
    };
  }, [scroller]);

  const reveal = useCallback(
    (id: string): void => {
      const isKnown = (): boolean =>
        chat.getState().timelines[conversationId]?.messages.some((message) => message.message_id === id) ?? false;
      const known = isKnown() ? Promise.resolve() : actions.loadAround(conversationId, id);
      setSeeking(true);
      known.then(
        () => {
          // Something else was wished for meanwhile, such as the newest messages.
          if (isKnown()) setTarget(id);
          else setSeeking(false);
        },
        (error: unknown) => {
          setSeeking(false);
          notifyError(error);
        },
      );
    },
    [actions, conversationId],
  );
  useEffect(() => {
    if (messageId !== undefined) reveal(messageId);
  }, [messageId, reveal]);

  useLayoutEffect(() => {
    const index = target === undefined ? undefined : indexOfMessage(rows, target);
    if (index === undefined) return;
    following.stop();
    const isHigh = (itemAt(virtualizer, index)?.size ?? 0) > scroller.current!.clientHeight / 2;
    virtualizer.scrollToIndex(index, { align: isHigh ? "start" : "center" });
    const { key } = rows[index]!;
    focus(key);
    setFlashing(key);
    setTarget(undefined);
    setSeeking(false);
  }, [target, rows, virtualizer, following, focus, scroller]);
  useEffect(() => {
    if (flashing === undefined) return undefined;
    const timer = setTimeout(() => setFlashing(undefined), FLASH_MS);
    return () => clearTimeout(timer);
  }, [flashing]);

  return { flashing, isSeeking, reveal };
}

function unreadIn(conversationId: string): number {
  return chat.getState().conversations[conversationId]?.unread ?? 0;
}
