import { renderHook, act } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { rememberEmoji, rememberSkinTone, skinTone, useRecentEmoji } from "../../src/composer/recent-emoji.ts";
import { chat } from "../../src/engine/state.ts";

const isNow = (userId: string): void => chat.setState({ self: { userId, username: userId } });
beforeEach(() => {
  chat.setState({ self: null });
  isNow("alice");
});

test("what was picked last comes first, once, and no more than sixteen are kept", () => {
  const { result } = renderHook(() => useRecentEmoji());
  act(() => ["😀", "🚀", "😀"].forEach(rememberEmoji));
  expect(result.current).toEqual(["😀", "🚀"]);
  act(() => [..."abcdefghijklmnopq"].forEach(rememberEmoji));
  expect(result.current).toHaveLength(16);
  expect(result.current[0]).toBe("q");
});

test("the skin tone is remembered, and nonsense is none", () => {
  expect(skinTone()).toBe("none");
  rememberSkinTone("dark");
  expect(skinTone()).toBe("dark");
  localStorage.setItem("amtrio.own.alice.emoji.tone", "purple");
  expect(skinTone()).toBe("none");
});

test("what one person picked is not offered to the next", () => {
  const { result } = renderHook(() => useRecentEmoji());
  act(() => rememberEmoji("🚀"));
  rememberSkinTone("dark");
  act(() => isNow("bob"));
  expect([result.current, skinTone()]).toEqual([[], "none"]);
  act(() => isNow("alice"));
  expect([result.current, skinTone()]).toEqual([["🚀"], "dark"]);
});
