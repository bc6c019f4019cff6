import { renderHook, act } from "@testing-library/react";
import { expect, test } from "vitest";
import { rememberEmoji, rememberSkinTone, skinTone, useRecentEmoji } from "../../src/composer/recent-emoji.ts";

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
  localStorage.setItem("amtrio.emoji.tone", "purple");
  expect(skinTone()).toBe("none");
});
