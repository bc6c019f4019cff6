import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { ConversationList } from "../../../src/shell/sidebar/conversation-list.tsx";
import { byId, conversation, goTo, layOut, seed, show } from "../seed.tsx";

const order = Array.from({ length: 1000 }, (_, index) => `c${index}`);

beforeEach(() => {
  layOut();
  goTo("/");
  seed({ conversations: byId(...order.map((id) => conversation(id, { title: `Chat ${id}` }))) });
});

function focusedChat(): string | null {
  return document.activeElement!.getAttribute("href");
}

test("of a thousand chats only those in view are there, and each says where it stands", () => {
  show(<ConversationList order={order} openId={undefined} label="Chats" />);
  const rows = screen.getAllByRole("listitem");
  expect(rows.length).toBeGreaterThan(8);
  expect(rows.length).toBeLessThan(40);
  expect(rows[2]!.getAttribute("aria-posinset")).toBe("3");
  expect(rows[2]!.getAttribute("aria-setsize")).toBe("1000");
});

test("Tab reaches one row, the open one; arrows walk from there and stop at the end", async () => {
  show(<ConversationList order={order} openId="c1" label="Chats" />);
  await userEvent.tab();
  expect(focusedChat()).toBe("/c/c1");
  expect(document.activeElement!.getAttribute("aria-current")).toBe("page");
  await userEvent.keyboard("{ArrowDown}{ArrowDown}");
  expect(focusedChat()).toBe("/c/c3");
  await userEvent.keyboard("{Home}{ArrowUp}");
  expect(focusedChat()).toBe("/c/c0");
  await userEvent.keyboard("{End}");
  expect(focusedChat()).toBe("/c/c999");
});

test("keys with modifiers are for others", async () => {
  show(<ConversationList order={order} openId="c1" label="Chats" />);
  await userEvent.tab();
  await userEvent.keyboard("{Alt>}{ArrowDown}{/Alt}");
  expect(focusedChat()).toBe("/c/c1");
});
