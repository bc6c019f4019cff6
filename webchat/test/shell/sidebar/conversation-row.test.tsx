import { act, fireEvent, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import type { Message } from "@amtrio/client";
import { live } from "../../../src/engine/live.ts";
import { ConversationRow } from "../../../src/shell/sidebar/conversation-row.tsx";
import { closeRowMenu, useRowMenu } from "../../../src/shell/sidebar/row-menu-state.ts";
import { agent, byId, conversation, goTo, iso, message, NOON, outgoing, seed, show } from "../seed.tsx";

beforeEach(() => {
  goTo("/");
  act(closeRowMenu);
});

function MenuState() {
  const at = useRowMenu();
  return <output>{at === null ? "closed" : `${at.conversationId} at ${at.point?.x ?? "its row"}`}</output>;
}

function row(isOpen = false): ReturnType<typeof show> {
  return show(
    <>
      <ConversationRow id="c1" isOpen={isOpen} isTabStop />
      <MenuState />
    </>,
  );
}

test("a row says who, whether they are there, what was said and how much is unread", () => {
  const conversations = byId(conversation("c1", { title: "Holiday", unread: 3, pinned: true }));
  seed({ conversations, agents: { coder: agent("coder", { status: "busy" }) } });
  row();
  const name = screen.getByRole("link").textContent!;
  for (const part of ["Holiday", "busy", "Pinned", "hello from c1", "3 unread messages"]) expect(name).toContain(part);
});

test("a chat with a title says whose it is, one without says so once", () => {
  const agents = { coder: agent("coder", { name: "Coder" }) };
  seed({ conversations: byId(conversation("c1", { title: "Holiday" })), agents });
  const { unmount } = row();
  expect(screen.getByText("Coder", { selector: "bdi" })).toBeTruthy();
  unmount();
  seed({ conversations: byId(conversation("c1")), agents });
  row();
  expect(screen.getAllByText("Coder")).toHaveLength(1);
});

test("without a connection a row does not say who is there", () => {
  seed({ conversations: byId(conversation("c1")), agents: { coder: agent("coder", { status: "busy" }) }, link: { kind: "offline", reason: "", retryAt: 0 } });
  row();
  expect(screen.getByRole("link").textContent).not.toContain("busy");
  expect(screen.getByRole("link").querySelector("[data-status]")).toBeNull();
});

test("what was said today has its weekday from midnight on", () => {
  vi.useFakeTimers({ now: new Date(2026, 10, 25, 23, 50) });
  const at = new Date(2026, 10, 25, 22, 30).toISOString();
  const said = conversation("c1");
  seed({ conversations: byId({ ...said, last: { ...said.last!, created_at: at } }) });
  row();
  expect(screen.getByRole("link").querySelector("time")!.textContent).toMatch(/10:30/);
  act(() => vi.advanceTimersByTime(11 * 60_000));
  expect(screen.getByRole("link").querySelector("time")!.textContent).toBe("Wed");
  vi.useRealTimers();
});

test("the badge of a muted chat is quiet, and the row says why", () => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  seed({ conversations: byId(conversation("c1", { unread: 3, muted_until: until })) });
  row();
  expect(screen.getByRole("link").textContent).toContain("Muted");
  expect(screen.getByText("3").parentElement!.className).toContain("quiet");
});

test("a draft, a live answer and a refused message are told in the row", () => {
  seed({ conversations: byId(conversation("c1")), drafts: { c1: "remember" } });
  row();
  expect(screen.getByRole("link").textContent).toContain("Draft: remember");
  act(() => seed({ conversations: byId(conversation("c1")), outgoing: { c1: [outgoing("no", { state: "failed" })] } }));
  expect(screen.getByRole("link").textContent).toContain("Not sent: no");
  act(() => seed({ conversations: byId(conversation("c1")), runs: { c1: ["run_1"] } }));
  expect(screen.getByRole("link").textContent).toContain("is answering…");
});

test("an answer that waits for its person says so and is marked, until somebody has answered", () => {
  const asked = (id: string, state: string) => ({ ...message(id), question: { options: [], multiple: false, free_text: true, state } });
  const known = (messages: Message[]) => {
    const timelines = { c1: { messages, hasOlder: false, hasNewer: false, loading: null, error: null } };
    act(() => seed({ conversations: byId(conversation("c1")), runs: { c1: ["run_1"] }, timelines }));
  };
  live.set({ run_id: "run_1", conversation_id: "c1", agent_id: "coder", reply_to: "m4", started_at: iso(NOON), rev: 1, parts: [] });
  known([asked("m5", "open")]);
  row();
  expect(screen.getByRole("link").textContent).toContain("asks you something");
  expect(screen.getByText("?")).toBeTruthy();
  known([asked("m5", "answered")]);
  expect(screen.getByRole("link").textContent).toContain("is answering…");
  expect(screen.queryByText("?")).toBeNull();
  // What was asked before the run began is not what it waits for.
  known([{ ...asked("m5", "open"), created_at: iso(NOON - 1000) }]);
  expect(screen.getByRole("link").textContent).toContain("is answering…");
  act(() => seed({ conversations: byId(conversation("c1", { last: asked("m5", "open") })), runs: { c1: ["run_1"] } }));
  expect(screen.getByRole("link").textContent).toContain("asks you something");
});

test("the menu opens by right click where the mouse is, by key and by button at the row", () => {
  seed({ conversations: byId(conversation("c1")) });
  row();
  const link = screen.getByRole("link");
  fireEvent.contextMenu(link, { clientX: 40, clientY: 50 });
  expect(screen.getByRole("status").textContent).toBe("c1 at 40");
  act(closeRowMenu);
  fireEvent.keyDown(link, { key: "F10", shiftKey: true });
  expect(screen.getByRole("status").textContent).toBe("c1 at its row");
  act(closeRowMenu);
  fireEvent.click(screen.getByRole("button", { name: "More about Coder" }));
  expect(screen.getByRole("status").textContent).toBe("c1 at its row");
  expect(screen.getByRole("button").getAttribute("aria-expanded")).toBe("true");
});

test("a finger that stays opens the menu and not the chat; one that moves does neither", () => {
  vi.useFakeTimers();
  seed({ conversations: byId(conversation("c1")) });
  row();
  const link = screen.getByRole("link");
  const touch = { pointerType: "touch", clientX: 30, clientY: 30 };
  fireEvent.pointerDown(link, touch);
  fireEvent.pointerMove(link, { ...touch, clientY: 90 });
  act(() => vi.advanceTimersByTime(600));
  expect(screen.getByRole("status").textContent).toBe("closed");

  fireEvent.pointerDown(link, touch);
  act(() => vi.advanceTimersByTime(600));
  expect(screen.getByRole("status").textContent).toBe("c1 at 30");
  fireEvent.pointerUp(link, touch);
  fireEvent.click(link);
  expect(location.pathname).toBe("/");
  vi.useRealTimers();
});
