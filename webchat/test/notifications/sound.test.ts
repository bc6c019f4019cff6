import { expect, test } from "vitest";
import { armSound, playTone } from "../../src/notifications/sound.ts";
import { giveSound } from "./fake-browser.ts";

test("nothing sounds before the first click or key; then several messages in a row are one sound", () => {
  const { played } = giveSound();
  const disarm = armSound();
  expect(playTone(10_000)).toBe(false);
  dispatchEvent(new Event("pointerdown"));
  expect([playTone(10_000), playTone(11_000), playTone(12_500)]).toEqual([true, false, true]);
  expect(played()).toBe(2);
  disarm();
  expect(playTone(20_000)).toBe(false);
});
