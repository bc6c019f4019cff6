import { renderHook, act } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { finishRemovals, keepAfterAll, removeLater, UNDO_MS, useRemoved } from "../../src/conversation/removals.ts";
import { said } from "./scene.tsx";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const message = said(1, "Oh no");
const unexpected = (error: unknown): void => expect.unreachable(String(error));

it("A deleted message is gone from view at once, from the server later", async () => {
  const removed = renderHook(useRemoved);
  const remove = vi.fn(() => Promise.resolve());
  act(() => removeLater(message, remove, unexpected));
  expect([...removed.result.current]).toEqual(["m1"]);
  expect(remove).not.toHaveBeenCalled();
  await act(() => vi.advanceTimersByTimeAsync(UNDO_MS));
  expect(remove.mock.calls).toEqual([[message]]);
  expect([...removed.result.current]).toEqual([]);
});

it("Whoever thinks again has it back, and the server never hears of it", async () => {
  const removed = renderHook(useRemoved);
  const remove = vi.fn(() => Promise.resolve());
  act(() => removeLater(message, remove, unexpected));
  act(() => keepAfterAll("m1"));
  await act(() => vi.advanceTimersByTimeAsync(UNDO_MS));
  expect([...removed.result.current]).toEqual([]);
  expect(remove).not.toHaveBeenCalled();
});

it("What the server refuses to delete is there again", async () => {
  const removed = renderHook(useRemoved);
  const failed = vi.fn();
  act(() => removeLater(message, () => Promise.reject(new Error("no")), failed));
  await act(() => vi.advanceTimersByTimeAsync(UNDO_MS));
  expect(failed).toHaveBeenCalledOnce();
  expect([...removed.result.current]).toEqual([]);
});

it("Whoever leaves the page meanwhile meant it, once", async () => {
  const remove = vi.fn(() => Promise.resolve());
  removeLater(message, remove, unexpected);
  dispatchEvent(new Event("pagehide"));
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(remove).toHaveBeenCalledOnce();
});

it("Whoever signs out meanwhile meant it, and it is done before the session ends", async () => {
  const asked: string[] = [];
  removeLater(message, async () => void asked.push("removed"), unexpected);
  await finishRemovals();
  expect(asked).toEqual(["removed"]);
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(asked).toEqual(["removed"]);
});

it("A server that does not answer keeps nobody from signing out", async () => {
  removeLater(message, () => new Promise(() => undefined), unexpected);
  const finished = vi.fn<() => void>();
  void finishRemovals().then(finished);
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(finished).toHaveBeenCalledOnce();
});
