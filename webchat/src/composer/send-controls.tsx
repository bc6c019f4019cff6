/** The end of the row: stop the answer, send what is written, and how. */

import { ArrowUp, Check, CornerDownRight, ListPlus, Reply, Square } from "lucide-react";
import { lazy, Suspense } from "react";
import { Button, IconButton } from "../design/button.tsx";
import { classes } from "../design/classes.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./send-controls.module.css";
import type { Way } from "./ways.ts";
import { words } from "./words.ts";

const WayMenu = lazy(() => import("./way-menu.tsx"));

export type Stopping = "sent" | "acknowledged" | "unresponsive";

interface SendControlsProps {
  /** The usual one first. */
  readonly ways: readonly [Way, Way?];
  readonly isEmpty: boolean;
  /** Why nothing can be sent now; for people. */
  readonly obstacle: string | undefined;
  readonly isRunning: boolean;
  /** Beside something else to press: it goes where there is no room for both. */
  readonly isSpare: boolean;
  readonly stopping: Stopping | undefined;
  readonly onSend: (way: Way) => void;
  readonly onStop: () => void;
}

export function SendControls(props: SendControlsProps) {
  const { ways, isEmpty, obstacle, isRunning, isSpare, stopping, onSend, onStop } = props;
  const [way, other] = ways;
  const takesTwo = other !== undefined && !isEmpty;
  return (
    <>
      {isRunning && <StopButton stopping={stopping} isMain={isEmpty} onStop={onStop} />}
      {!(isRunning && isEmpty) && (
        <span className={classes(styles["send"], takesTwo && styles["split"], isSpare && styles["spare"])}>
          <SendButton way={way} isDisabled={isEmpty || obstacle !== undefined} obstacle={obstacle} onSend={onSend} />
          {takesTwo && (
            <Suspense fallback={<span className={styles["arrow"]} />}>
              <WayMenu chosen={way} isDisabled={obstacle !== undefined} onSend={onSend} />
            </Suspense>
          )}
        </span>
      )}
    </>
  );
}

interface StopButtonProps {
  readonly stopping: Stopping | undefined;
  readonly isMain: boolean;
  readonly onStop: () => void;
}

function StopButton({ stopping, isMain, onStop }: StopButtonProps) {
  const t = useWords(words);
  const isWaiting = stopping === "sent" || stopping === "acknowledged";
  const label = stopping === "unresponsive" ? t("stopAgain") : isWaiting ? t("stopping") : t("stop");
  return (
    <IconButton
      className={classes(styles["stop"], isMain && styles["main"])}
      label={label}
      icon={<Square size={16} fill="currentColor" aria-hidden />}
      aria-disabled={isWaiting}
      data-waiting={isWaiting || undefined}
      onClick={() => {
        if (!isWaiting) onStop();
      }}
    />
  );
}

const ICONS = { send: ArrowUp, save: Check, answer: Reply, steer: CornerDownRight, queue: ListPlus } as const;

interface SendButtonProps {
  readonly way: Way;
  readonly isDisabled: boolean;
  readonly obstacle: string | undefined;
  readonly onSend: (way: Way) => void;
}

function SendButton({ way, isDisabled, obstacle, onSend }: SendButtonProps) {
  const t = useWords(words);
  const Icon = ICONS[way];
  // Ways that are not the usual one are named: nobody guesses them from a picture.
  const isNamed = way === "answer" || way === "steer" || way === "queue";
  return (
    <Button
      look="primary"
      className={classes(styles["button"], isNamed && styles["named"])}
      aria-label={t(way)}
      title={obstacle ?? (way === "steer" ? t("steerHint") : way === "queue" ? t("queueHint") : t(way))}
      disabled={isDisabled}
      // The field keeps the focus: on phones the keyboard would go and come.
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => onSend(way)}
    >
      <Icon size={20} aria-hidden />
      {isNamed && <span className={styles["word"]}>{t(way)}</span>}
    </Button>
  );
}
