import { renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { ActionsProvider } from "../../src/engine/actions.ts";
import { chat } from "../../src/engine/state.ts";
import { choose } from "../../src/i18n/language.ts";
import { beginChat, shortened, useFirstTitles } from "../../src/shell/new-chats.ts";
import { byId, conversation, message, recording, said, seed, type Asked } from "./seed.tsx";

const mine = (content: string, more = {}) => said(content, { sender_type: "client", sender_id: "usr_ada", ...more });
const unnamed = (more: Parameters<typeof conversation>[1] = {}) =>
  conversation("c2", { is_default: false, title: "New chat", last: null, lastSeq: 0, ...more });

let asked: Asked;

function begin(): void {
  const { actions, asked: recorded } = recording();
  asked = recorded;
  renderHook(() => useFirstTitles(), {
    wrapper: ({ children }) => <ActionsProvider value={actions}>{children}</ActionsProvider>,
  });
}

function tell(more: Parameters<typeof conversation>[1]): void {
  chat.setState(({ conversations }) => ({ conversations: { ...conversations, c2: { ...conversations["c2"]!, ...more } } }));
}

beforeEach(() => {
  choose("en");
  seed({ conversations: byId(conversation("c1"), unnamed()) });
});

test("the first message gives a chat that nobody named its title, once, in plain words", () => {
  begin();
  tell({ last: mine("Please **plan** my trip to Lisbon in the second week of May, by train"), lastSeq: 1 });
  expect(asked).toEqual([["rename", "c2", "Please plan my trip to Lisbon in the…"]]);
  tell({ unread: 1 });
  expect(asked).toHaveLength(1);
});

test("what the agent says first is no title, and what was said first is, whatever came after it", () => {
  begin();
  tell({ last: said("Welcome!"), lastSeq: 1 });
  expect(asked).toEqual([]);
  const messages = [message("m1", { content: "Welcome!" }), message("m2", { sender_type: "client", content: "Lisbon" }), message("m3", { sender_type: "client", content: "By train" })];
  chat.setState({ timelines: { c2: { messages, hasOlder: false, hasNewer: false, loading: null, error: null } } });
  tell({ last: mine("By train"), lastSeq: 3 });
  expect(asked).toEqual([["rename", "c2", "Lisbon"]]);
});

test("a title in another language counts as none, also after a reload", () => {
  choose("en");
  seed({ conversations: byId(unnamed({ title: "Neuer Chat", last: mine("Lissabon"), lastSeq: 1 })) });
  begin();
  expect(asked).toEqual([["rename", "c2", "Lissabon"]]);
});

test("a chat that has a name keeps it, and an encrypted message gives none away", () => {
  begin();
  tell({ title: "Travel", last: mine("Lisbon"), lastSeq: 1 });
  tell({ title: "New chat", last: mine("c2VhbGVk", { kind: "encrypted" }), lastSeq: 2 });
  expect(asked).toEqual([]);
});

test("a title ends behind a word, and one long word wherever there is room", () => {
  expect(shortened("Lisbon")).toBe("Lisbon");
  expect(shortened("a".repeat(50))).toBe(`${"a".repeat(40)}…`);
  expect(shortened(`${"a".repeat(40)} b`)).toBe(`${"a".repeat(40)}…`);
  expect(shortened("word, ".repeat(9))).toBe("word, word, word, word, word, word…");
});

test("the first chat with an agent is its own, another one waits for a title, and an unused one is taken up", async () => {
  seed({ conversations: byId(conversation("c1")) });
  const { actions, asked: wanted } = recording({ openConversation: async () => "c9" });
  await beginChat(actions, "cook");
  await beginChat(actions, "coder");
  expect(wanted).toEqual([["openConversation", "cook"], ["openConversation", "coder", "New chat"]]);
  seed({ conversations: byId(conversation("c1"), unnamed()) });
  expect(await beginChat(actions, "coder")).toBe("c2");
  expect(wanted).toHaveLength(2);
});
