import { act, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { Toasts } from "../../../src/design/toast.tsx";
import type { ChatConversation } from "../../../src/engine/state.ts";
import { FOR_EVER } from "../../../src/notifications/muted.ts";
import { RowMenu } from "../../../src/shell/sidebar/row-menu.tsx";
import { closeRowMenu, openRowMenu } from "../../../src/shell/sidebar/row-menu-state.ts";
import { byId, conversation, goTo, seed, show, type Asked } from "../seed.tsx";

beforeEach(() => {
  goTo("/c/c1");
  act(closeRowMenu);
});

async function menuOf(more: Partial<ChatConversation>): Promise<Asked> {
  seed({ conversations: byId(conversation("c1", more)) });
  const { asked } = show(
    <>
      <button id="opener">row</button>
      <RowMenu />
      <Toasts />
    </>,
  );
  act(() => openRowMenu({ conversationId: "c1", opener: document.getElementById("opener")! }));
  await screen.findByRole("menu", { name: more.title ?? "Coder" });
  return asked;
}

test("what is on can be turned off, and what is off can be turned on", async () => {
  await menuOf({ pinned: true, archived: true, muted_until: FOR_EVER, unread: 0 });
  expect(screen.getAllByRole("menuitem").map((each) => each.textContent)).toEqual([
    "Unpin",
    "Unmute",
    "Take out of the archive",
    "Rename…",
    "Delete…",
  ]);
});

test("reading marks up to the newest message", async () => {
  const asked = await menuOf({ unread: 2, lastSeq: 8 });
  await userEvent.click(screen.getByRole("menuitem", { name: "Mark as read" }));
  expect(asked).toEqual([["markRead", "c1", 8]]);
});

test("archiving can be taken back from its notice", async () => {
  const asked = await menuOf({ title: "Holiday" });
  await userEvent.click(screen.getByRole("menuitem", { name: "Archive" }));
  expect(screen.getByText("Archived “Holiday”")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Undo" }));
  expect(asked).toEqual([
    ["archive", "c1", true],
    ["archive", "c1", false],
  ]);
});

test("a titled chat keeps a title, a default one may lose it", async () => {
  const asked = await menuOf({ title: "Holiday", is_default: false });
  await userEvent.click(screen.getByRole("menuitem", { name: "Rename…" }));
  const field = screen.getByRole("textbox", { name: "Title" });
  expect(document.activeElement).toBe(field);
  await userEvent.clear(field);
  expect(screen.getByRole("button", { name: "Save" })).toHaveProperty("disabled", true);
  await userEvent.type(field, " Norway {Enter}");
  expect(asked).toEqual([["rename", "c1", "Norway"]]);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

test("deleting asks first, and leaves the chat if it is open", async () => {
  const asked = await menuOf({ title: "Holiday" });
  await userEvent.click(screen.getByRole("menuitem", { name: "Delete…" }));
  expect(asked).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  expect(asked).toEqual([["deleteConversation", "c1"]]);
  await waitFor(() => expect(location.pathname).toBe("/"));
});
