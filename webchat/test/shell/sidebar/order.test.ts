import { expect, test, vi } from "vitest";
import { listed, neighbour, tagsOf, unreadNeighbour } from "../../../src/shell/sidebar/order.ts";
import { byId, conversation, NOON, outgoing } from "../seed.tsx";

const MINUTE = 60_000;
const all = byId(
  conversation("old", { atMs: NOON - 9 * MINUTE }),
  conversation("new", { atMs: NOON, unread: 2, tags: ["work"] }),
  conversation("pinned", { atMs: NOON - 60 * MINUTE, pinned: true }),
  conversation("archived", { atMs: NOON, archived: true, unread: 1, tags: ["past"] }),
  conversation("middle", { atMs: NOON - 5 * MINUTE, unread: 1, tags: ["travel", "work"] }),
);

test("pinned chats stand first, then whatever moved last", () => {
  expect(listed(all, {}, "all")).toEqual(["pinned", "new", "middle", "old"]);
});

test("a message that waits for a connection moves its chat up at once", () => {
  const waiting = { old: [outgoing("a", { createdAt: NOON + 1 })] };
  expect(listed(all, waiting, "all")).toEqual(["pinned", "old", "new", "middle"]);
});

test("a chat without a message stands where it was made", () => {
  const empty = byId(conversation("a", { atMs: NOON }), conversation("b", { atMs: NOON + 1, last: null }));
  expect(listed(empty, {}, "all")).toEqual(["b", "a"]);
});

test("two chats of the same moment keep their order, however they come", () => {
  const one = byId(conversation("a"), conversation("b"));
  const two = byId(conversation("b"), conversation("a"));
  expect(listed(one, {}, "all")).toEqual(listed(two, {}, "all"));
});

test("each filter shows its own, and only one shows the archive", () => {
  expect(listed(all, {}, "unread")).toEqual(["new", "middle"]);
  expect(listed(all, {}, "archived")).toEqual(["archived"]);
  expect(listed(all, {}, "#work")).toEqual(["new", "middle"]);
  expect(listed(all, {}, "#past")).toEqual([]);
});

test("the open chat stays among the unread although it has just been read", () => {
  expect(listed(all, {}, "unread", "old")).toEqual(["new", "middle", "old"]);
});

test("tags are those of chats outside the archive, each once", () => {
  expect(tagsOf(all)).toEqual(["travel", "work"]);
});

test("from chat to chat one comes round the ends", () => {
  const order = ["a", "b", "c"];
  expect([neighbour(order, "a", 1), neighbour(order, "c", 1), neighbour(order, "a", -1)]).toEqual(["b", "a", "c"]);
  expect([neighbour(order, undefined, 1), neighbour(order, "gone", -1), neighbour([], "a", 1)]).toEqual(["a", "c", undefined]);
});

test("from unread to unread one passes what is read or muted, and stays if there is no other", () => {
  const order = ["pinned", "new", "middle", "old"];
  expect(unreadNeighbour(order, all, "pinned", 1)).toBe("new");
  expect(unreadNeighbour(order, all, "old", 1)).toBe("new");
  expect(unreadNeighbour(order, all, "old", -1)).toBe("middle");
  const quiet = { ...all, new: { ...all["new"]!, muted_until: "9999-12-31T23:59:59.999Z" } };
  expect(unreadNeighbour(order, quiet, "pinned", 1)).toBe("middle");
  expect(unreadNeighbour(["new"], all, "new", 1)).toBeUndefined();
});

test("the date of each chat is read once, not for each comparison: a thousand of them are sorted with every event", () => {
  const many = byId(...Array.from({ length: 1000 }, (_, index) => conversation(`c${index}`, { atMs: NOON - index })));
  const read = vi.spyOn(Date, "parse");
  expect(listed(many, {}, "all")).toHaveLength(1000);
  expect(read).toHaveBeenCalledTimes(1000);
});
