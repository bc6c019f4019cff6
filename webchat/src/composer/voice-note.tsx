/** While a voice note is recorded: how loud, how long, and whether it is sent. Its own chunk. */

import { ArrowUp, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { clock } from "../attachments/clock.ts";
import { Button, IconButton } from "../design/button.tsx";
import { notify } from "../design/toast.tsx";
import { useWords } from "../i18n/words.ts";
import { isComposing } from "./keys.ts";
import styles from "./voice-note.module.css";
import { failureOf, MAX_SECONDS, nameOf, record, type Recording } from "./voice-recorder.ts";
import { words } from "./words.ts";

interface VoiceNoteProps {
  /** The button that began it is still pressed: letting go sends, unless it was but a tap. */
  readonly isHeld: boolean;
  readonly onDone: (file: File) => void;
  /** Discarded, or it did not work. */
  readonly onEnd: () => void;
}

// Shorter than this is a tap.
const HOLD_MS = 400;
// Pulled this far away it is discarded.
const SLIDE_PX = 80;
const BARS = 32;
const TICK_MS = 80;

export default function VoiceNote({ isHeld, onDone, onEnd }: VoiceNoteProps) {
  const t = useWords(words);
  const recording = useRef<Recording>(undefined);
  const group = useRef<HTMLDivElement>(null);
  const [levels, setLevels] = useState<readonly number[]>([]);
  const [startedAt, setStartedAt] = useState<number>();
  const [seconds, setSeconds] = useState(0);
  const heldSince = useRef(isHeld ? Date.now() : undefined);
  const isSending = useRef(false);
  const isFull = seconds >= MAX_SECONDS;

  useEffect(() => {
    let isWanted = true;
    record().then(
      (begun) => {
        // It was discarded while the browser asked.
        if (!isWanted) return begun.cancel();
        recording.current = begun;
        setStartedAt(Date.now());
      },
      (error: unknown) => {
        if (!isWanted) return;
        const why = error instanceof Error ? error.message : String(error);
        notify({ text: t(failureOf(error), { error: why }), tone: "bad" });
        onEnd();
      },
    );
    group.current!.focus();
    return () => {
      isWanted = false;
      recording.current?.cancel();
    };
    // oxlint-disable-next-line react/exhaustive-deps -- what it uses stays the same as long as this is so
  }, []);

  useEffect(() => {
    if (startedAt === undefined || isFull) return undefined;
    const timer = setInterval(() => {
      const level = recording.current!.level();
      setLevels((before) => [...before.slice(1 - BARS), level]);
      setSeconds((Date.now() - startedAt) / 1000);
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [startedAt, isFull]);

  useEffect(() => {
    if (isFull) void recording.current?.finish();
  }, [isFull]);

  useEffect(() => {
    const cancel = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || isComposing(event)) return;
      event.preventDefault();
      // It is not for the answer that may run besides.
      event.stopPropagation();
      onEnd();
    };
    // Wherever the focus is: whoever is recorded looks for the way out.
    addEventListener("keydown", cancel, { capture: true });
    return () => removeEventListener("keydown", cancel, { capture: true });
  }, [onEnd]);

  useEffect(() => {
    if (!isHeld) {
      const wasHeld = heldSince.current !== undefined && Date.now() - heldSince.current >= HOLD_MS;
      heldSince.current = undefined;
      if (wasHeld && recording.current !== undefined) void send();
      return undefined;
    }
    let from: number | undefined;
    const move = (event: PointerEvent): void => {
      from ??= event.clientX;
      if (from - event.clientX > SLIDE_PX) onEnd();
    };
    addEventListener("pointermove", move);
    return () => removeEventListener("pointermove", move);
    // oxlint-disable-next-line react/exhaustive-deps -- what it uses stays the same as long as this is so
  }, [isHeld]);

  async function send(): Promise<void> {
    // Until the recorder has ended the button is still there.
    if (isSending.current) return;
    isSending.current = true;
    const blob = await recording.current!.finish();
    const name = nameOf((when) => t("voiceName", { when }), blob.type, new Date());
    onDone(new File([blob], name, { type: blob.type }));
  }

  return (
    <div ref={group} className={styles["note"]} role="group" tabIndex={-1} aria-label={t("voiceRecording")}>
      <IconButton label={t("voiceDiscard")} icon={<Trash2 size={20} aria-hidden />} onClick={onEnd} />
      {startedAt === undefined ? (
        <p className={styles["words"]} role="status">
          {t("voiceAsking")}
        </p>
      ) : (
        <>
          <span className={styles["dot"]} data-on={!isFull} aria-hidden />
          <span className={styles["timer"]} role="timer" aria-label={t("voiceRecording")}>
            {clock(seconds)}
          </span>
          {isFull || isHeld ? (
            <p className={styles["words"]} role="status">
              {t(isFull ? "voiceLimit" : "voiceSlide")}
            </p>
          ) : (
            <Meter levels={levels} />
          )}
        </>
      )}
      <Button
        look="primary"
        className={styles["send"]}
        aria-label={t("send")}
        title={t("send")}
        disabled={startedAt === undefined}
        onClick={() => void send()}
      >
        <ArrowUp size={20} aria-hidden />
      </Button>
    </div>
  );
}

function Meter({ levels }: { readonly levels: readonly number[] }) {
  return (
    <span className={styles["meter"]} data-testid="meter" aria-hidden>
      {Array.from({ length: BARS }, (_, index) => {
        const level = levels[levels.length - BARS + index] ?? 0;
        return <span key={index} style={{ blockSize: `${Math.max(8, Math.round(level * 100))}%` }} />;
      })}
    </span>
  );
}
