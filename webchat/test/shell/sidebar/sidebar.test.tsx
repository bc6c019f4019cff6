import { act, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { chat } from "../../../src/engine/state.ts";
import { Sidebar } from "../../../src/shell/sidebar/sidebar.tsx";
import { byId, conversation, goTo, layOut, NOON, seed, show } from "../seed.tsx";

beforeEach(() => {
  layOut();
  goTo("/");
});

function chats(): (string | null)[] {
  return screen.queryAllByRole("link", { name: /hello from/ }).map((each) => each.getAttribute("href"));
}

test("a filter is on until it is pressed again, and an empty one says why", async () => {
  seed({ conversations: byId(conversation("c1", { tags: ["work"] }), conversation("c2", { atMs: NOON - 1 })) });
  show(<Sidebar openId={undefined} isKnown />);
  expect(chats()).toEqual(["/c/c1", "/c/c2"]);
  await userEvent.click(screen.getByRole("button", { name: "#work", pressed: false }));
  expect(chats()).toEqual(["/c/c1"]);
  await userEvent.click(screen.getByRole("button", { name: "#work", pressed: true }));
  expect(chats()).toEqual(["/c/c1", "/c/c2"]);
  await userEvent.click(screen.getByRole("button", { name: "Unread" }));
  expect(screen.getByText("Everything has been read.")).toBeTruthy();
});

test("a message for another chat raises its badge and moves its row up", () => {
  const old = conversation("c2", { atMs: NOON - 1000 });
  seed({ conversations: byId(conversation("c1"), old) });
  show(<Sidebar openId="c1" isKnown />);
  const raised = conversation("c2", { atMs: NOON + 1, unread: 1 });
  act(() => chat.setState(({ conversations }) => ({ conversations: { ...conversations, c2: raised } })));
  expect(chats()).toEqual(["/c/c2", "/c/c1"]);
  expect(screen.getAllByRole("link", { name: /hello from/ })[0]!.textContent).toContain("1 unread message");
});

test("until the server has spoken an empty list is on its way, and then it is empty", () => {
  seed();
  const view = show(<Sidebar openId={undefined} isKnown={false} />);
  expect(screen.getByText("Loading your chats")).toBeTruthy();
  view.unmount();
  show(<Sidebar openId={undefined} isKnown />);
  expect(screen.queryByText("Loading your chats")).toBeNull();
  expect(screen.getAllByRole("button", { name: "New chat" })).toHaveLength(2);
});

test("the foot says who is signed in and how the connection is; the administration is for administrators", () => {
  seed();
  show(<Sidebar openId={undefined} isKnown />);
  expect(screen.getByText("Connected")).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Administration" })).toBeNull();
  act(() => seed({ account: { is_admin: true } as never, link: { kind: "offline", reason: "", retryAt: 0 } }));
  expect(screen.getByText("No connection")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Administration" }).getAttribute("href")).toBe("/manage");
});
