import { act, renderHook, waitFor } from "@testing-library/react";
import { useCallback } from "react";
import { expect, test } from "vitest";
import { useLoaded, usePages, type Page } from "../../src/settings/loading.ts";

test("what an older question brings late is left alone", async () => {
  const answers = new Map<string, (answer: string) => void>();
  const ask = (about: string) => new Promise<string>((resolve) => answers.set(about, resolve));
  const { result, rerender } = renderHook(({ about }) => useLoaded(useCallback(() => ask(about), [about])), {
    initialProps: { about: "old" },
  });
  rerender({ about: "new" });
  await act(async () => answers.get("new")!("of new"));
  await act(async () => answers.get("old")!("of old"));
  expect(result.current.data).toBe("of new");
});

test("a failure keeps what was there, and trying again mends it", async () => {
  const answers: (string | Error)[] = ["first", new Error("away"), "second"];
  const load = async () => {
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const { result } = renderHook(() => useLoaded(load));
  await waitFor(() => expect(result.current.data).toBe("first"));
  act(() => result.current.reload());
  await waitFor(() => expect(result.current.error).toEqual(new Error("away")));
  expect(result.current.data).toBe("first");
  act(() => result.current.reload());
  await waitFor(() => expect(result.current.data).toBe("second"));
  expect(result.current.error).toBeUndefined();
});

test("pages follow each other until there is none", async () => {
  const pages: Record<string, Page<number, string>> = {
    first: { items: [1, 2], next: "a" },
    a: { items: [3], next: null },
  };
  const load = async (cursor?: string) => pages[cursor ?? "first"]!;
  const { result } = renderHook(() => usePages(load));
  await waitFor(() => expect(result.current.data).toEqual([1, 2]));
  await act(async () => result.current.more!());
  expect(result.current.data).toEqual([1, 2, 3]);
  expect(result.current.more).toBeUndefined();
});

test("a page of another list that comes late is not put under this one", async () => {
  let late: (page: Page<string, string>) => void = () => {};
  const { result, rerender } = renderHook(
    ({ about }) =>
      usePages<string, string>(
        useCallback(
          (cursor) =>
            cursor === undefined ? Promise.resolve({ items: [about], next: "more" }) : new Promise((resolve) => (late = resolve)),
          [about],
        ),
      ),
    { initialProps: { about: "old" } },
  );
  await waitFor(() => expect(result.current.data).toEqual(["old"]));
  act(() => result.current.more!());
  rerender({ about: "new" });
  await waitFor(() => expect(result.current.data).toEqual(["new"]));
  await act(async () => late({ items: ["old 2"], next: null }));
  expect(result.current.data).toEqual(["new"]);
});

test("a page that fails keeps the others, and can be asked for again", async () => {
  const answers: (Page<number, string> | Error)[] = [
    { items: [1], next: "a" },
    new Error("away"),
    { items: [2], next: null },
  ];
  const load = async () => {
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const { result } = renderHook(() => usePages(load));
  await waitFor(() => expect(result.current.data).toEqual([1]));
  await act(async () => result.current.more!());
  expect(result.current.error).toEqual(new Error("away"));
  await act(async () => result.current.more!());
  expect(result.current.data).toEqual([1, 2]);
  expect(result.current.error).toBeUndefined();
});
