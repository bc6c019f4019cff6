import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { useWork } from "../../src/design/work.ts";

test("what is under way is not done a second time, and can be done again once it is over", async () => {
  const { result } = renderHook(useWork);
  const ends: (() => void)[] = [];
  const what = () => new Promise<void>((resolve) => ends.push(resolve));
  let [first, second] = [Promise.resolve(false), Promise.resolve(true)];
  act(() => {
    first = result.current.run(what);
    second = result.current.run(what);
  });
  expect(await second).toBe(false);
  expect(ends.length).toBe(1);
  expect(result.current.isPending).toBe(true);
  await act(async () => ends[0]!());
  expect(await first).toBe(true);
  expect(result.current.isPending).toBe(false);
  act(() => void result.current.run(what));
  expect(ends.length).toBe(2);
});

test("what went wrong is told until the next try, or not at all if it was told in its place", async () => {
  const { result } = renderHook(useWork);
  const fail = async () => {
    throw new Error("no");
  };
  await act(async () => expect(await result.current.run(fail)).toBe(false));
  expect(result.current.error).toEqual(new Error("no"));
  await act(async () => void (await result.current.run(fail, () => true)));
  expect(result.current.error).toBeUndefined();
  await act(async () => void (await result.current.run(fail, () => false)));
  expect(result.current.error).toEqual(new Error("no"));
});
