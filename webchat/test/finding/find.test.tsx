import type { Message, SearchPage, SearchQuery } from "@amtrio/client";
import { act, screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { chat } from "../../src/engine/state.ts";
import { Find } from "../../src/finding/find.tsx";
import { byId, conversation, goTo, iso, message, NOON, seed, show } from "../shell/seed.tsx";

let onServer: (query: SearchQuery) => Promise<SearchPage>;
let asked: { query: SearchQuery; signal: AbortSignal }[];
let stored: Message[];

beforeEach(() => {
  goTo("/find");
  seed({ conversations: byId(conversation("c1"), conversation("c2", { title: "Norway" })) });
  asked = [];
  stored = [
    message("here", { content: "lentil soup", conversation_id: "c2", created_at: iso(NOON) }),
    message("sealed", { content: "QUJD", kind: "encrypted" }),
    message("gone", { content: "", deleted: true }),
  ];
  onServer = async () => page([]);
});

function page(messages: Message[], more: Partial<SearchPage> = {}): SearchPage {
  const results = messages.map((each) => ({ message: each, snippet: { text: each.content, matches: [] } }));
  return { results, next: null, is_complete: true, ...more };
}

function find(): ReturnType<typeof show> {
  return show(<Find />, {
    searchHere: async () => stored,
    search: async (query, signal) => {
      asked.push({ query, signal: signal! });
      return onServer(query);
    },
  });
}

/** Without what they were found by. */
function found(): string[] {
  return within(screen.getByRole("list")).queryAllByRole("link").map((each) => each.getAttribute("href")!.replace(/&q=.*/, ""));
}

test("what this device has is there before the server is asked, and then both are one list", async () => {
  let answer: (page: SearchPage) => void = () => undefined;
  onServer = () => new Promise((resolve) => (answer = resolve));
  find();
  await userEvent.type(screen.getByRole("searchbox"), "lentil");
  await waitFor(() => expect(found()).toEqual(["/c/c2?m=here"]));
  expect(screen.getByText("lentil").tagName).toBe("MARK");
  await waitFor(() => expect(asked.map(({ query }) => query.q)).toEqual(["lentil"]));
  const newer = message("there", { content: "lentils!", created_at: iso(NOON + 1) });
  await act(async () => answer(page([newer, stored[0]!])));
  expect(found()).toEqual(["/c/c1?m=there", "/c/c2?m=here"]);
  expect(screen.getByRole("status").textContent).toBe("2 messages");
});

test("what is typed on takes back the question before, and stands in the address", async () => {
  find();
  await userEvent.type(screen.getByRole("searchbox"), "len");
  await waitFor(() => expect(asked).toHaveLength(1));
  await userEvent.type(screen.getByRole("searchbox"), "til");
  await waitFor(() => expect(asked).toHaveLength(2));
  expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  await waitFor(() => expect(location.search).toBe("?q=lentil"));
});

test("the address says what to look for, also in which chat", async () => {
  goTo("/find?q=soup&c=c2&a=coder");
  find();
  expect(screen.getByRole("searchbox")).toHaveProperty("value", "soup");
  expect(screen.getByRole("combobox", { name: "Chat" })).toHaveProperty("value", "c2");
  await waitFor(() => expect(asked[0]?.query).toEqual({ q: "soup", conversation_id: "c2", agent_id: "coder" }));
});

test("a phrase is found as it stands, by words on this device and in quotes on the server", async () => {
  goTo(`/find?q=${encodeURIComponent("“lentil soup”")}`);
  stored.push(message("apart", { content: "soup of lentils, lentil by lentil" }));
  const { asked: actions } = find();
  await waitFor(() => expect(found()).toEqual(["/c/c2?m=here"]));
  expect(actions[0]!.slice(0, 2)).toEqual(["searchHere", "lentil soup"]);
  await waitFor(() => expect(asked[0]?.query.q).toBe('"lentil soup"'));
});

test("filters hold for both places, and can all be taken away", async () => {
  goTo("/find?q=soup&c=c1");
  find();
  await screen.findByText("Nothing was found with these filters.");
  await userEvent.click(screen.getByRole("button", { name: "Without filters" }));
  await waitFor(() => expect(found()).toEqual(["/c/c2?m=here"]));
});

test("encrypted messages are found by what this device has read of them", async () => {
  goTo("/find?q=secret");
  stored = [stored[1]!];
  chat.setState({ plain: { sealed: "a secret" } });
  find();
  await waitFor(() => expect(found()).toEqual(["/c/c1?m=sealed"]));
  expect(screen.getByText("secret").tagName).toBe("MARK");
});

test("without a connection this device alone is asked, which is said; back online the server is", async () => {
  goTo("/find?q=soup");
  seed({ link: { kind: "offline", reason: "", retryAt: 0 } });
  find();
  await waitFor(() => expect(found()).toHaveLength(1));
  expect(screen.getByText("Without a connection only what is stored on this device is found.")).toBeTruthy();
  expect(asked).toEqual([]);
  act(() => seed());
  await waitFor(() => expect(asked).toHaveLength(1));
});

test("a server that fails says so, and can be asked again", async () => {
  goTo("/find?q=soup");
  onServer = async () => Promise.reject(new Error("too busy"));
  find();
  expect((await screen.findByRole("alert")).textContent).toContain("too busy");
  onServer = async () => page([message("later")]);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(found()).toHaveLength(2));
  expect(screen.queryByRole("alert")).toBeNull();
});

test("more pages follow by their cursor, and a server that still reads says so", async () => {
  goTo("/find?q=soup");
  onServer = async ({ cursor }) =>
    cursor === undefined
      ? page([message("p1", { created_at: iso(NOON - 1) })], { next: "p1", is_complete: false })
      : page([message("p2", { created_at: iso(NOON - 2) })]);
  find();
  await screen.findByText(/still reading older messages/);
  await userEvent.click(screen.getByRole("button", { name: "Show more" }));
  await waitFor(() => expect(found()).toEqual(["/c/c2?m=here", "/c/c1?m=p1", "/c/c1?m=p2"]));
  expect(asked.at(-1)!.query.cursor).toBe("p1");
  expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
});

test("where the server does not know a filter, it is asked on until something passes", async () => {
  goTo("/find?q=soup&has=file");
  stored = [];
  const attachments = [{ attachment_id: "f1" }] as Message["attachments"];
  onServer = async ({ cursor }) =>
    cursor === undefined ? page([message("p1")], { next: "p1" }) : page([message("p2", { ...(attachments && { attachments }) })]);
  find();
  await waitFor(() => expect(found()).toEqual(["/c/c1?m=p2"]));
  expect(asked.map(({ query }) => query.cursor)).toEqual([undefined, "p1"]);
});

test("arrows walk from the field to the hits and back", async () => {
  goTo("/find?q=soup");
  find();
  await waitFor(() => expect(found()).toHaveLength(1));
  expect(document.activeElement).toBe(screen.getByRole("searchbox"));
  await userEvent.keyboard("{ArrowDown}");
  expect(document.activeElement!.getAttribute("href")).toBe("/c/c2?m=here&q=soup");
  await userEvent.keyboard("{ArrowUp}");
  expect(document.activeElement).toBe(screen.getByRole("searchbox"));
});

test("without words nobody is asked", async () => {
  goTo('/find?q=""');
  find();
  expect(screen.getByText("Find anything that was said")).toBeTruthy();
  expect(asked).toEqual([]);
});
