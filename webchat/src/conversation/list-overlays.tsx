/** What floats over the list: which day it is, the way to the newest message, and how loading goes. */

import { ArrowDown } from "lucide-react";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/spinner.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat, type Timeline } from "../engine/state.ts";
import { dayName } from "../i18n/dates.ts";
import { problemWords } from "../i18n/problem-words.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./list-overlays.module.css";
import type { Row } from "./rows.ts";
import { words } from "./words.ts";

interface StickyDayProps {
  readonly rows: readonly Row[];
  /** Index of the row at the upper edge. */
  readonly first: number;
  readonly isShown: boolean;
}

/** For the eye alone: the list itself has its separators. */
export function StickyDay({ rows, first, isShown }: StickyDayProps) {
  const day = dayAt(rows, first);
  if (day === undefined) return null;
  return (
    <div className={styles["day"]} data-shown={isShown || undefined} aria-hidden>
      {dayName(new Date(day))}
    </div>
  );
}

function dayAt(rows: readonly Row[], index: number): number | undefined {
  for (let at = Math.min(index, rows.length - 1); at >= 0; at--) {
    const day = rows[at]!.day;
    if (day !== undefined) return day;
  }
  return undefined;
}

export function JumpButton({ unread, onJump }: { readonly unread: number; readonly onJump: () => void }) {
  const t = useWords(words);
  return (
    <button type="button" className={styles["jump"]} onClick={onJump}>
      {unread > 0 && <span className={styles["count"]}>{t("latestNew", { n: unread })}</span>}
      <span className={unread > 0 ? "visually-hidden" : undefined}>{t("latest")}</span>
      <ArrowDown size={18} aria-hidden />
    </button>
  );
}

interface ListNoticeProps {
  readonly conversationId: string;
  readonly timeline: Timeline;
  readonly isAtTop: boolean;
}

export function ListNotice({ conversationId, timeline, isAtTop }: ListNoticeProps) {
  const t = useWords(words);
  const actions = useActions();
  const say = useWords(problemWords);
  const isOnline = useChat((state) => state.link.kind === "online");
  const { loading, error, hasOlder } = timeline;
  if (loading !== null) {
    return (
      <div className={styles["notice"]} data-at={loading === "newer" ? "foot" : "head"}>
        <Spinner label={t(loading === "newer" ? "loadingNewer" : loading === "older" ? "loadingOlder" : "loading")} />
      </div>
    );
  }
  if (error === null) return null;
  const again = isAtTop && hasOlder ? actions.loadOlder : timeline.hasNewer ? actions.loadNewer : undefined;
  return (
    <div className={styles["notice"]} data-at="head" role="alert">
      <span>{t("loadingFailed", { reason: isOnline ? error : say("unreachable") })}</span>
      <Button
        look="quiet"
        onClick={() => {
          if (again === undefined) actions.show(conversationId);
          else again.call(actions, conversationId);
        }}
      >
        {t("tryAgain")}
      </Button>
    </div>
  );
}
