/** A short tone of two notes, made on the spot: no file to fetch. */

// Several messages in a row are one sound.
const GAP_MS = 2000;
const LOUDNESS = 0.12;
// A fifth upwards, E5 and B5, soft enough for an open office. Seconds.
const NOTES = [
  { hertz: 659.26, at: 0, lasts: 0.22 },
  { hertz: 987.77, at: 0.11, lasts: 0.42 },
] as const;

let context: AudioContext | undefined;
let playedAt = Number.NEGATIVE_INFINITY;

/** Browsers let a page sound after its first click or key only. */
export function armSound(): () => void {
  const arm = (): void => {
    if (typeof AudioContext === "undefined") return;
    context ??= new AudioContext();
    if (context.state === "suspended") void context.resume().catch(() => undefined);
  };
  addEventListener("pointerdown", arm);
  addEventListener("keydown", arm);
  return () => {
    removeEventListener("pointerdown", arm);
    removeEventListener("keydown", arm);
    void context?.close().catch(() => undefined);
    context = undefined;
  };
}

/** False: nothing was to be heard, since the browser does not allow it yet or another one has just sounded. */
export function playTone(now = Date.now()): boolean {
  if (context?.state !== "running" || now - playedAt < GAP_MS) return false;
  playedAt = now;
  for (const note of NOTES) playNote(context, note);
  return true;
}

function playNote(on: AudioContext, { hertz, at, lasts }: (typeof NOTES)[number]): void {
  const start = on.currentTime + at;
  const gain = new GainNode(on, { gain: 0 });
  gain.gain.setValueAtTime(0, start);
  // Rises within 12 ms and dies away like a struck bar; steps would click.
  gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.012);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + lasts);
  const tone = new OscillatorNode(on, { type: "sine", frequency: hertz });
  tone.connect(gain).connect(on.destination);
  tone.start(start);
  tone.stop(start + lasts);
}
