/** Short notices at the foot of the page, read out politely; with a way back where there is one. */

import { X } from "lucide-react";
import { useEffect } from "react";
import { createPortal } from "react-dom";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { problemOf } from "../i18n/problem.ts";
import { useWords } from "../i18n/words.ts";
import { Button, IconButton } from "./button.tsx";
import styles from "./toast.module.css";
import { useTopDialog } from "./top-dialog.ts";
import { words } from "./words.ts";

// Long enough to read two lines and to reach the button.
const SHOWN_MS = 6000;
// What only tells something has gone by then, or can be asked for again.
const MOST = 3;
// About half of a phone's page. What stands in a notice with a button is often nowhere else: words that were not taken.
const MOST_WITH_ACTION = 6;

export interface Notice {
  readonly text: string;
  readonly tone?: "plain" | "bad";
  readonly action?: { readonly label: string; readonly run: () => void };
  /** How long it stays; the default is long enough to reach its button. */
  readonly forMs?: number;
}

interface Shown extends Notice {
  readonly id: number;
  /** When it goes, in milliseconds since 1970; also if it moves into a dialog meanwhile. */
  readonly until: number;
}

const toasts = createStore<{ readonly shown: readonly Shown[] }>(() => ({ shown: [] }));
let last = 0;

/** Show a notice. Returns how to take it away before its time. */
export function notify(notice: Notice): () => void {
  const id = ++last;
  const until = Date.now() + (notice.forMs ?? SHOWN_MS);
  toasts.setState(({ shown }) => ({ shown: fitting([...shown, { ...notice, id, until }]) }));
  return () => dismiss(id);
}

/** What went wrong. */
export function notifyError(error: unknown): void {
  notify({ text: problemOf(error), tone: "bad" });
}

/** Without those that make room for the last: the oldest that only tell something, and of the others those whose time ends first. */
function fitting(all: readonly Shown[]): readonly Shown[] {
  const earlier = all.slice(0, -1);
  const told = earlier.filter((each) => !hasWay(each));
  const kept = earlier.filter(hasWay).toSorted((one, other) => one.until - other.until);
  const gone = new Set([
    ...told.slice(0, Math.max(0, all.length - MOST)),
    ...kept.slice(0, Math.max(0, all.filter(hasWay).length - MOST_WITH_ACTION)),
  ]);
  return all.filter((each) => !gone.has(each));
}

function hasWay({ action }: Notice): boolean {
  return action !== undefined;
}

function dismiss(id: number): void {
  toasts.setState(({ shown }) => ({ shown: shown.filter((each) => each.id !== id) }));
}

/** Take them all away. */
export function clearNotices(): void {
  toasts.setState({ shown: [] });
}

export function Toasts() {
  const t = useWords(words);
  const shown = useStore(toasts, (state) => state.shown);
  const dialog = useTopDialog();
  const region = (
    <div className={styles["toasts"]} role="status" aria-label={t("notices")}>
      {shown.map((notice) => (
        <Toast key={notice.id} {...notice} />
      ))}
    </div>
  );
  // Beside an open dialog it would lie behind its shade, where its buttons are dead and nobody hears of it.
  return dialog === undefined ? region : createPortal(region, dialog);
}

function Toast({ id, text, tone = "plain", action, until }: Shown) {
  const t = useWords(words);
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), until - Date.now());
    return () => clearTimeout(timer);
  }, [id, until]);
  return (
    <div className={styles["toast"]} data-tone={tone}>
      <span className={styles["text"]}>{text}</span>
      {action !== undefined && (
        <Button
          look="quiet"
          onClick={() => {
            dismiss(id);
            action.run();
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton label={t("dismiss")} icon={<X size={16} aria-hidden />} onClick={() => dismiss(id)} />
    </div>
  );
}
