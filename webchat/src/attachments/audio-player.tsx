/** Sound in a bubble: play, seek, and listen faster. One at a time. */

import type { Attachment } from "@amtrio/client";
import { Download, Pause, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { IconButton } from "../design/button.tsx";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./audio-player.module.css";
import { clock } from "./clock.ts";
import { download, useFileUrl } from "./file-url.ts";
import { words } from "./words.ts";

const SPEEDS = [1, 1.5, 2] as const;
let playing: HTMLAudioElement | undefined;

export function AudioPlayer({ attachment }: { readonly attachment: Attachment }) {
  const t = useWords(words);
  const actions = useActions();
  const name = attachment.filename;
  const { url, isBroken, why, fail, retry } = useFileUrl(attachment, "file");
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [seconds, setSeconds] = useState<number>();
  const [speed, setSpeed] = useState<number>(1);

  useEffect(() => {
    const element = audio.current!;
    return () => element.pause();
  }, []);

  function toggle(): void {
    const element = audio.current!;
    if (!element.paused) return element.pause();
    if (playing !== element) playing?.pause();
    playing = element;
    element.playbackRate = speed;
    element.play().catch(() => {
      setIsPlaying(false);
      fail();
    });
  }

  function measure(): void {
    const element = audio.current!;
    if (Number.isFinite(element.duration)) setSeconds(element.duration);
    // What a browser has recorded does not say how long it is: the end has to be looked for.
    else element.currentTime = Number.MAX_SAFE_INTEGER;
  }

  function learn(): void {
    const element = audio.current!;
    if (!Number.isFinite(element.duration)) return;
    setSeconds(element.duration);
    // Back from the end that was looked for.
    if (element.paused && !element.ended && element.currentTime >= element.duration) element.currentTime = 0;
  }

  return (
    <div className={styles["player"]} role="group" aria-label={name}>
      <audio
        ref={audio}
        src={url}
        preload="metadata"
        onLoadedMetadata={measure}
        onDurationChange={learn}
        onSeeked={learn}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onPlay={() => setIsPlaying(true)}
        onPause={() => setIsPlaying(false)}
        onEnded={(event) => {
          event.currentTarget.currentTime = 0;
        }}
        onError={fail}
      />
      <IconButton
        className={styles["play"]}
        label={t(isPlaying ? "pause" : "play", { name })}
        icon={isPlaying ? <Pause size={20} aria-hidden /> : <Play size={20} aria-hidden />}
        disabled={isBroken || url === undefined}
        onClick={toggle}
      />
      <div className={styles["middle"]}>
        <span className={styles["name"]} title={name}>
          {name}
        </span>
        {isBroken ? (
          <button type="button" className={styles["again"]} onClick={retry}>
            {t(why, { name })} · {t("tryAgain")}
          </button>
        ) : (
          <input
            type="range"
            className={styles["seek"]}
            aria-label={t("seek", { name })}
            aria-valuetext={t("position", { at: clock(at), of: clock(seconds ?? 0) })}
            min={0}
            max={seconds ?? 0}
            step={0.1}
            value={Math.min(at, seconds ?? 0)}
            disabled={seconds === undefined}
            onChange={(event) => {
              audio.current!.currentTime = Number(event.target.value);
              setAt(Number(event.target.value));
            }}
          />
        )}
        <span className={styles["time"]}>
          {clock(at)}
          {seconds !== undefined && ` / ${clock(seconds)}`}
        </span>
      </div>
      <button
        type="button"
        className={styles["speed"]}
        aria-label={t("speed", { speed: `${speed}×` })}
        onClick={() => {
          const next = SPEEDS[(SPEEDS.indexOf(speed as 1) + 1) % SPEEDS.length]!;
          audio.current!.playbackRate = next;
          setSpeed(next);
        }}
      >
        {speed}×
      </button>
      <IconButton
        label={t("download", { name })}
        icon={<Download size={18} aria-hidden />}
        onClick={() => void download(actions, attachment).catch(notifyError)}
      />
    </div>
  );
}
