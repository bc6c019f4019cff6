import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { endReply, intend, useIntent } from "../../src/conversation/intent.ts";
import { chat } from "../../src/engine/state.ts";
import { ID, know, own, said } from "./scene.tsx";

const intent = () => renderHook(() => useIntent(ID)).result;

test("what one was about to answer does not wait for the next who signs in", () => {
  know([]);
  intend(ID, { kind: "reply", message: said(1, "Secret") });
  const now = intent();
  act(() => chat.setState({ self: null }));
  expect(now.current).toBeUndefined();
});

test("an answer that has gone ends its own intent, and none that was begun meanwhile", () => {
  know([]);
  const now = intent();
  const edit = { kind: "edit", message: own(1, "Mine") } as const;
  const other = { kind: "reply", message: said(3, "Another") } as const;
  for (const begun of [edit, other]) {
    act(() => intend(ID, begun));
    act(() => endReply(ID, "m2"));
    expect(now.current).toBe(begun);
  }
  act(() => endReply(ID, "m3"));
  expect(now.current).toBeUndefined();
});
