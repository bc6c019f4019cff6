/** The microphone, recorded: what a browser can make of it, how loud it is, and that it is let go of at the end. */

/** Ten minutes: some 5 MB, and longer than anybody listens. */
export const MAX_SECONDS = 600;

// In the order of what most others can play.
const TYPES = ["audio/webm;codecs=opus", "audio/mp4;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const ENDINGS: Readonly<Record<string, string>> = { "audio/webm": "webm", "audio/mp4": "m4a", "audio/ogg": "ogg" };

export interface Recording {
  /** How loud it is now, 0 to 1. */
  level(): number;
  /** Ends it. */
  finish(): Promise<Blob>;
  /** Ends it and throws away what was said. */
  cancel(): void;
}

export function canRecord(): boolean {
  return typeof MediaRecorder !== "undefined" && navigator.mediaDevices?.getUserMedia !== undefined;
}

/** Key of what is said about it in `words.ts`. */
export type Failure = "voiceRefused" | "voiceMissing" | "voiceBusy" | "voiceFailed";

export function failureOf(error: unknown): Failure {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "voiceRefused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "voiceMissing";
    case "NotReadableError":
    case "AbortError":
      return "voiceBusy";
    default:
      return "voiceFailed";
  }
}

/** Rejects as `getUserMedia` does. */
export async function record(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  try {
    return recordingOf(stream);
  } catch (error) {
    letGo(stream);
    throw error;
  }
}

/** `Voice note 2026-11-25 14.05.webm`; the time as files can be named on every system. */
export function nameOf(label: (when: string) => string, type: string, at: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${label(`${day} ${two(at.getHours())}.${two(at.getMinutes())}`)}.${ENDINGS[type] ?? "webm"}`;
}

function recordingOf(stream: MediaStream): Recording {
  const type = TYPES.find((each) => MediaRecorder.isTypeSupported(each));
  const recorder = new MediaRecorder(stream, type === undefined ? {} : { mimeType: type });
  const chunks: Blob[] = [];
  recorder.ondataavailable = ({ data }) => chunks.push(data);
  const ended = new Promise<void>((resolve) => {
    // Also when the microphone is unplugged: what was said until then stays.
    recorder.onstop = () => {
      letGo(stream);
      void meter.close();
      resolve();
    };
  });
  const meter = openMeter(stream);
  recorder.start();

  function stop(): void {
    if (recorder.state !== "inactive") recorder.stop();
  }

  return {
    level: meter.level,
    async finish() {
      stop();
      await ended;
      const plainType = (recorder.mimeType || type || "audio/webm").split(";", 1)[0]!;
      return new Blob(chunks, { type: plainType });
    },
    cancel: stop,
  };
}

function letGo(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function openMeter(stream: MediaStream): { level(): number; close(): Promise<void> } {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    level() {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, each) => sum + each * each, 0) / samples.length;
      // Speech lies around 0.05 to 0.2 of full scale; the root spreads it over the meter.
      return Math.min(1, Math.sqrt(Math.sqrt(power)) * 1.4);
    },
    close: () => context.close(),
  };
}
