/**
 * The messages of one conversation, thousands of them if need be: only what is on the screen is drawn.
 *
 * Puts together what is known of scrolling (`list-virtualizer`, `following`, `opening`, `paging`, `reading`) and of the
 * keyboard (`walking`). Mount it anew for another conversation.
 */

import { useCallback, useLayoutEffect, useRef, useState } from "react";
import { useActions } from "../engine/actions.ts";
import { useChat, type Timeline } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import { Announcer } from "./announcer.tsx";
import { useFollowing, type Following } from "./following.ts";
import { useGestures } from "./gestures.ts";
import { useHeldQuestion } from "./holding.ts";
import { JumpButton, ListNotice, StickyDay } from "./list-overlays.tsx";
import { useListVirtualizer, type ListVirtualizer } from "./list-virtualizer.ts";
import styles from "./message-list.module.css";
import { useOpening } from "./opening.ts";
import { usePaging } from "./paging.ts";
import { keepPosition, positionIn } from "./positions.ts";
import { useIsPrinting } from "./printing.ts";
import { Reveal } from "./quote.tsx";
import { useReading } from "./reading.ts";
import type { Author } from "./row-frame.tsx";
import { RowView } from "./row-view.tsx";
import type { Row } from "./rows.ts";
import { useActiveRow, useWalking } from "./walking.ts";
import { words } from "./words.ts";

interface MessageListProps {
  readonly conversationId: string;
  readonly messageId: string | undefined;
  readonly author: Author;
  readonly timeline: Timeline;
  readonly rows: readonly Row[];
}

export function MessageList({ conversationId, messageId, author, timeline, rows }: MessageListProps) {
  const t = useWords(words);
  const actions = useActions();
  const scroller = useRef<HTMLDivElement>(null);
  const [position] = useState(() => positionIn(conversationId));
  const reachesPresent = !timeline.hasNewer;
  const active = useActiveRow(rows);
  const follower = useRef<Following>(undefined);
  const virtualizer = useListVirtualizer({
    scroller,
    rows,
    activeIndex: active.index,
    position,
    isWhole: useIsPrinting(scroller, follower),
    onChange: () => follower.current?.keepUp(),
    isFollowing: useCallback(() => follower.current?.isOn() ?? false, []),
  });
  const { following, isAway } = useFollowing(scroller, rows, reachesPresent, useHeldQuestion(virtualizer, rows));
  useLayoutEffect(() => {
    follower.current = following;
  }, [following]);

  const toLatest = useCallback(async (): Promise<void> => {
    // Where that goes wrong, the timeline says why.
    if (!reachesPresent) await actions.loadLatest(conversationId).catch(() => undefined);
    following.start();
  }, [actions, conversationId, following, reachesPresent]);
  useOwnWords(conversationId, toLatest);
  // Once the newest message is in the list, it has the focus: whoever jumps wants to read, not to write.
  const [wantsNewest, setWantsNewest] = useState(false);
  const jump = (): void => void toLatest().then(() => setWantsNewest(true));
  const scrollToRow = useCallback((index: number) => virtualizer.scrollToIndex(index), [virtualizer]);
  const walking = useWalking({ scroller, rows, active, scrollToRow, toLatest: jump });
  const { flashing, isSeeking, reveal } = useOpening({
    conversationId,
    messageId,
    scroller,
    rows,
    timeline,
    virtualizer,
    following,
    position,
    focus: walking.focus,
  });

  const { focus } = walking;
  useLayoutEffect(() => {
    const newest = rows.findLast(({ kind }) => kind === "message" || kind === "live" || kind === "outgoing");
    if (!wantsNewest || !reachesPresent || newest === undefined) return;
    setWantsNewest(false);
    focus(newest.key);
  }, [wantsNewest, reachesPresent, rows, focus]);
  useKeptPosition(conversationId, virtualizer, following);

  const first = virtualizer.range?.startIndex ?? 0;
  const last = virtualizer.range?.endIndex ?? 0;
  usePaging(conversationId, scroller, timeline, first, last, isSeeking);
  useReading(conversationId, rows, last);
  const shown = useRef(rows);
  shown.current = rows;
  const gestures = useGestures(shown);

  const unread = useChat((state) => state.conversations[conversationId]?.unread ?? 0);
  const isJumpOffered = isAway || !reachesPresent || (unread > 0 && !following.isOn());
  return (
    <div className={styles["frame"]}>
      {/* The log is silent: the announcer says what is worth it. */}
      <div
        ref={scroller}
        className={styles["scroller"]}
        role="log"
        aria-live="off"
        aria-label={t("messages")}
        aria-busy={timeline.loading !== null}
        tabIndex={active.index < 0 ? 0 : undefined}
        onKeyDown={walking.onKeyDown}
        onFocus={(event) => {
          const key = event.target.closest<HTMLElement>("[data-row]")?.dataset["row"];
          if (key !== undefined) active.activate(key);
        }}
        {...gestures}
      >
        <div ref={virtualizer.containerRef} className={styles["rows"]}>
          <Reveal value={reveal}>
            {virtualizer.getVirtualItems().map(({ index, key }) => {
              const row = rows[index]!;
              return (
                <div
                  key={key}
                  ref={virtualizer.measureElement}
                  className={styles["place"]}
                  data-index={index}
                  data-last={index === rows.length - 1 || undefined}
                >
                  <RowView
                    row={row}
                    conversationId={conversationId}
                    author={author}
                    isActive={index === active.index}
                    isFlashing={row.key === flashing}
                  />
                </div>
              );
            })}
          </Reveal>
        </div>
      </div>
      {(timeline.hasOlder || timeline.hasNewer) && <p className="print-only">{t("printedInPart")}</p>}
      <StickyDay rows={rows} first={first} isShown={virtualizer.isScrolling} />
      <ListNotice conversationId={conversationId} timeline={timeline} isAtTop={first === 0} />
      {isJumpOffered && <JumpButton unread={unread} onJump={jump} />}
      <Announcer rows={rows} agentName={author.agentName} reachesPresent={reachesPresent} />
    </div>
  );
}

/** Whoever says something wants to see it. */
function useOwnWords(conversationId: string, toLatest: () => Promise<void>): void {
  const newest = useChat((state) => state.outgoing[conversationId]?.at(-1)?.createdAt ?? 0);
  const known = useRef(newest);
  useLayoutEffect(() => {
    if (newest <= known.current) return;
    known.current = newest;
    void toLatest();
  }, [newest, toLatest]);
}

/** So that coming back leads to the same place. */
function useKeptPosition(conversationId: string, virtualizer: ListVirtualizer, following: Following): void {
  useLayoutEffect(
    () => () => {
      const offset = virtualizer.scrollOffset ?? 0;
      const item = following.isOn() ? undefined : virtualizer.getVirtualItemForOffset(offset);
      const anchor = item === undefined ? undefined : { key: item.key as string, above: offset - item.start };
      keepPosition(conversationId, { anchor, measurements: virtualizer.takeSnapshot() });
    },
    [conversationId, virtualizer, following],
  );
}
