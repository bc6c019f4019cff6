import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Composer } from "../../src/composer/composer.tsx";
import { nameOf } from "../../src/composer/voice-recorder.ts";
import { HERE, show, stage, type Stage } from "./stage.tsx";

let scene: Stage;
/** Of microphones that were opened. */
let tracks: { stopped: boolean; stop(): void }[];
let refusal: DOMException | undefined;

class FakeRecorder {
  static isTypeSupported = (type: string): boolean => type === "audio/webm;codecs=opus";
  state = "inactive";
  mimeType = "audio/webm;codecs=opus";
  ondataavailable: ((event: { data: Blob }) => void) | undefined;
  onstop: (() => void) | undefined;

  start(): void {
    this.state = "recording";
  }

  stop(): void {
    this.state = "inactive";
    this.ondataavailable?.({ data: new Blob(["sound"]) });
    this.onstop?.();
  }
}

class FakeAudioContext {
  createAnalyser = () => ({ fftSize: 0, getFloatTimeDomainData: (into: Float32Array) => void into.fill(0.25) });
  createMediaStreamSource = () => ({ connect: () => undefined });
  close = async (): Promise<void> => undefined;
}

beforeEach(() => {
  scene = stage();
  tracks = [];
  refusal = undefined;
  vi.stubGlobal("MediaRecorder", FakeRecorder);
  vi.stubGlobal("AudioContext", FakeAudioContext);
  const getUserMedia = async (): Promise<unknown> => {
    if (refusal !== undefined) throw refusal;
    const track = {
      stopped: false,
      stop() {
        this.stopped = true;
      },
    };
    tracks.push(track);
    return { getTracks: () => [track] };
  };
  Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia }, configurable: true });
  // Only the time of day: what happens every few milliseconds goes on.
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, "mediaDevices");
});

const mic = (): HTMLElement => screen.getByRole("button", { name: "Record a voice note" });

async function tap(): Promise<void> {
  fireEvent.click(mic());
  await screen.findByRole("timer");
}

function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

test("a tap records until it is sent, with a timer and a meter, and goes as a file without a word", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await tap();
  pass(65);
  await screen.findByText("1:05");
  const bars = [...screen.getByTestId("meter").children] as HTMLElement[];
  expect(Number.parseInt(bars.at(-1)!.style.blockSize)).toBeGreaterThan(50);
  await act(async () => fireEvent.click(screen.getByRole("button", { name: "Send" })));
  await act(async () => scene.uploads[0]!.succeed());
  expect(scene.uploads[0]!.file.name).toMatch(/^Voice note \d{4}-\d\d-\d\d \d\d\.\d\d\.webm$/);
  expect(scene.uploads[0]!.file.type).toBe("audio/webm");
  expect(scene.askedFor("send")).toHaveLength(1);
  expect(tracks.map((each) => each.stopped)).toEqual([true]);
  expect(mic()).toBeDefined();
});

test("Send that is pressed twice sends once", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await tap();
  const send = screen.getByRole("button", { name: "Send" });
  await act(async () => {
    fireEvent.click(send);
    fireEvent.click(send);
  });
  expect(scene.uploads).toHaveLength(1);
});

test("Escape discards it, lets go of the microphone, and stops no answer", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await tap();
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("timer")).toBeNull();
  expect(tracks.map((each) => each.stopped)).toEqual([true]);
  expect(scene.uploads).toEqual([]);
  expect(scene.askedFor("stop")).toEqual([]);
});

test("held, it is sent when let go", async () => {
  show(scene, <Composer conversationId={HERE} />);
  fireEvent.pointerDown(mic(), { button: 0 });
  await screen.findByRole("timer");
  pass(2);
  await act(async () => fireEvent.pointerUp(window));
  expect(scene.uploads).toHaveLength(1);
});

test("held and pulled to the left, it is discarded", async () => {
  show(scene, <Composer conversationId={HERE} />);
  fireEvent.pointerDown(mic(), { button: 0 });
  await screen.findByRole("timer");
  pass(2);
  fireEvent.pointerMove(window, { clientX: 300 });
  fireEvent.pointerMove(window, { clientX: 200 });
  await act(async () => fireEvent.pointerUp(window));
  expect(scene.uploads).toEqual([]);
  expect(tracks.map((each) => each.stopped)).toEqual([true]);
});

test("a short press is a tap: it goes on after letting go", async () => {
  show(scene, <Composer conversationId={HERE} />);
  fireEvent.pointerDown(mic(), { button: 0 });
  fireEvent.pointerUp(window);
  await screen.findByRole("timer");
  pass(5);
  await screen.findByText("0:05");
  expect(scene.uploads).toEqual([]);
});

test("after ten minutes it ends by itself and can still be sent", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await tap();
  pass(601);
  await screen.findByText("That is as long as a voice note can be");
  expect(tracks.map((each) => each.stopped)).toEqual([true]);
  await act(async () => fireEvent.click(screen.getByRole("button", { name: "Send" })));
  expect(scene.uploads).toHaveLength(1);
});

test.each([
  ["NotAllowedError", /^The microphone is blocked/],
  ["NotFoundError", /^No microphone was found/],
  ["NotReadableError", /another program may have it/],
])("%s is said in clear words", async (name, words) => {
  refusal = new DOMException("raw words", name);
  show(scene, <Composer conversationId={HERE} />);
  fireEvent.click(mic());
  expect(await screen.findByText(words)).toBeDefined();
  expect(mic()).toBeDefined();
});

test("a chat that is left lets go of the microphone", async () => {
  const { unmount } = show(scene, <Composer conversationId={HERE} />);
  await tap();
  unmount();
  expect(tracks.map((each) => each.stopped)).toEqual([true]);
});

test("the name tells the time, in a way that every system can store", () => {
  const at = new Date(2026, 10, 25, 14, 5);
  expect(nameOf((when) => `Voice note ${when}`, "audio/webm", at)).toBe("Voice note 2026-11-25 14.05.webm");
  expect(nameOf((when) => `Voice note ${when}`, "audio/mp4", at)).toBe("Voice note 2026-11-25 14.05.m4a");
});
