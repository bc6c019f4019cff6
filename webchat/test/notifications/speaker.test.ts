import { expect, test, vi } from "vitest";
import { becomeSpeaker } from "../../src/notifications/speaker.ts";

type Grant = (lock: Lock | null) => Promise<unknown>;

/** One lock, as the browsers give it: whoever steals ends the holder, the others wait in line. */
class OneLock {
  #holder: { end: (error: DOMException) => void } | undefined;
  readonly #line: (() => void)[] = [];

  request(_name: string, { steal }: LockOptions, grant: Grant): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const hold = (): void => {
        const holder = { end: reject };
        this.#holder = holder;
        void grant(null).then((value) => {
          if (this.#holder === holder) this.#holder = undefined;
          resolve(value);
          if (this.#holder === undefined) this.#line.shift()?.();
        });
      };
      if (steal) {
        this.#holder?.end(new DOMException("stolen", "AbortError"));
        hold();
      } else if (this.#holder === undefined) hold();
      else this.#line.push(hold);
    });
  }
}

test("one tab speaks: the first one, then whichever was given the focus, and the other again when that is gone", async () => {
  const locks = new OneLock() as unknown as LockManager;
  vi.spyOn(document, "hasFocus").mockReturnValue(false);
  const first = becomeSpeaker(locks);
  expect(first.isSpeaker).toBe(true);
  vi.spyOn(document, "hasFocus").mockReturnValue(true);
  const second = becomeSpeaker(locks);
  await vi.waitFor(() => expect([first.isSpeaker, second.isSpeaker]).toEqual([false, true]));
  second.stop();
  await vi.waitFor(() => expect([first.isSpeaker, second.isSpeaker]).toEqual([true, false]));
  first.stop();
});

test("without locks, or with locks that fail, a tab speaks for itself", async () => {
  expect(becomeSpeaker(undefined).isSpeaker).toBe(true);
  const broken = { request: async () => Promise.reject(new DOMException("no", "SecurityError")) };
  const speaker = becomeSpeaker(broken as unknown as LockManager);
  await vi.waitFor(() => expect(speaker.isSpeaker).toBe(true));
  speaker.stop();
});
