import { act, screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chat } from "../../src/engine/state.ts";
import { closeOverlay } from "../../src/shell/overlay.ts";
import { Shell } from "../../src/shell/shell.tsx";
import { byId, conversation, goTo, layOut, NOON, seed, show } from "./seed.tsx";

beforeEach(() => {
  layOut();
  goTo("/");
  const chats = [
    conversation("c1", { title: "First" }),
    conversation("c2", { title: "Second", atMs: NOON - 1, unread: 2 }),
    conversation("c3", { title: "Third", atMs: NOON - 2 }),
  ];
  seed({ conversations: byId(...chats) });
});
afterEach(() => act(closeOverlay));

test("list and view are landmarks, and one can skip to the view", async () => {
  show(<Shell />);
  expect(screen.getByRole("navigation", { name: "Chats" })).toBeTruthy();
  await userEvent.click(screen.getByText("Skip to the chat"));
  expect(document.activeElement).toBe(screen.getByRole("main"));
  expect(location.hash).toBe("");
});

test("the keyboard goes from chat to chat, to the next unread one, and leaves search and settings again", async () => {
  goTo("/c/c1");
  show(<Shell />);
  await userEvent.keyboard("{Alt>}{ArrowDown}{/Alt}");
  expect(location.pathname).toBe("/c/c2");
  await userEvent.keyboard("{Alt>}{ArrowDown}{ArrowDown}{/Alt}");
  expect(location.pathname).toBe("/c/c1");
  await userEvent.keyboard("{Alt>}{Shift>}{ArrowDown}{/Shift}{/Alt}");
  expect(location.pathname).toBe("/c/c2");
  await userEvent.keyboard("{Control>},{/Control}");
  expect(location.pathname).toBe("/settings");
  await userEvent.keyboard("{Escape}");
  expect(location.pathname).toBe("/c/c2");
});

test("Ctrl+K opens the palette with the focus in its field, and no shortcut works under it", async () => {
  show(<Shell />);
  await userEvent.keyboard("{Control>}k{/Control}");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("combobox", { name: "Go to anything" })));
  await userEvent.keyboard("{Alt>}{ArrowDown}{/Alt}");
  expect(location.pathname).toBe("/");
});

test("the tab tells what is unread and whose chat is open", () => {
  goTo("/c/c3");
  show(<Shell />);
  expect(document.title).toBe("(2) Third · amtrio");
  act(() => chat.setState(({ conversations }) => ({ conversations: { ...conversations, c2: conversation("c2") } })));
  expect(document.title).toBe("Third · amtrio");
});

test("an address that leads nowhere and a chat that is gone say so, with a way back", async () => {
  goTo("/nowhere");
  show(<Shell />);
  expect(within(screen.getByRole("main")).getByText("Nothing here")).toBeTruthy();
  await userEvent.click(screen.getByRole("link", { name: "To your chats" }));
  expect(location.pathname).toBe("/");
  act(() => history.pushState(null, "", "/c/gone"));
  expect(within(screen.getByRole("main")).getByText("This chat is not here")).toBeTruthy();
});

test("before the server has spoken a chat that is not known yet is on its way, not gone", () => {
  goTo("/c/c9");
  seed({ account: undefined });
  show(<Shell />);
  expect(screen.queryByText("This chat is not here")).toBeNull();
  expect(within(screen.getByRole("main")).getByText("Loading")).toBeTruthy();
});

test("the link of a notice of the server opens its chat", () => {
  goTo("/?conversation=c2");
  show(<Shell />);
  expect(location.pathname).toBe("/c/c2");
});

test("the administration is for administrators, and says so", async () => {
  goTo("/manage");
  show(<Shell />);
  expect(await within(screen.getByRole("main")).findByText("Only for administrators")).toBeTruthy();
});
