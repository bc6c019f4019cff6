import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "@amtrio/client";
import { buildRows, indexOfMessage, type Row, type RowsInput } from "../../src/conversation/rows.ts";
import { answered, minutesLater, NOON, outgoing, own, said } from "./scene.tsx";

function rowsOf(over: Partial<RowsInput>, before?: readonly Row[]): readonly Row[] {
  const nothing: RowsInput = {
    messages: [],
    hasOlder: true,
    hasNewer: false,
    outgoing: [],
    runs: [],
    isTyping: false,
    unreadAfter: undefined,
    removed: new Set(),
  };
  return buildRows({ ...nothing, ...over }, before);
}

function keysOf(rows: readonly Row[]): string[] {
  return rows.map((row) => row.key);
}

describe("keys", () => {
  it("stay the same when what was sent arrives", () => {
    const sent = rowsOf({ outgoing: [outgoing("k1", "Hello")] });
    const arrived = rowsOf({ messages: [own(1, "Hello")] });
    expect(keysOf(arrived)).toEqual(keysOf(sent));
  });

  it("stay the same when an answer is finished", () => {
    const live = rowsOf({ runs: [{ runId: "r1", startedAt: minutesLater(1) }] });
    const finished = rowsOf({ messages: [answered(1, "Done", "r1")] });
    expect(keysOf(finished)).toEqual(keysOf(live));
  });

  it("stay the same when a message is deleted", () => {
    const [before] = rowsOf({ messages: [own(1, "Oh no")] });
    const [after] = rowsOf({ messages: [own(1, "", { deleted: true })] });
    expect(after).toMatchObject({ kind: "deleted", key: before!.key });
  });
});

describe("what is on its way", () => {
  it("is left out once its message has come", () => {
    const rows = rowsOf({ messages: [own(1, "Hello")], outgoing: [outgoing("k1", "Hello"), outgoing("k2", "Again")] });
    expect(keysOf(rows)).toEqual(["c:k1", "c:k2"]);
  });

  it("stands before the answer that is being written, where it will be stored", () => {
    const rows = rowsOf({ outgoing: [outgoing("k1", "Hello")], runs: [{ runId: "r1", startedAt: undefined }] });
    expect(rows.map((row) => row.kind)).toEqual(["outgoing", "live"]);
  });

  it("has no place in the past", () => {
    const rows = rowsOf({
      messages: [said(1, "Long ago")],
      hasNewer: true,
      outgoing: [outgoing("k1", "Hello")],
      runs: [{ runId: "r1", startedAt: undefined }],
      isTyping: true,
    });
    expect(keysOf(rows)).toEqual(["m:m1"]);
  });
});

it("A live answer is left out once its message has come", () => {
  const runs = [{ runId: "r1", startedAt: undefined }, { runId: "r2", startedAt: undefined }];
  expect(keysOf(rowsOf({ messages: [answered(1, "Done", "r1")], runs }))).toEqual(["r:r1", "r:r2"]);
});

it("That somebody writes is shown unless the words themselves are", () => {
  expect(keysOf(rowsOf({ isTyping: true }))).toEqual(["typing"]);
  expect(keysOf(rowsOf({ isTyping: true, runs: [{ runId: "r1", startedAt: undefined }] }))).toEqual(["r:r1"]);
});

describe("groups", () => {
  it("hold what one side says within five minutes", () => {
    const messages = [said(1, "One"), said(5, "Four minutes later"), said(10, "Five minutes later"), own(11, "Me")];
    expect(rowsOf({ messages }).map((row) => row.startsGroup)).toEqual([true, false, true, true]);
  });

  it("are the same for an answer that is being written and that is finished", () => {
    const before = said(1, "Let me see");
    const run = { run_id: "r1", outcome: "done", started_at: minutesLater(2), parts: [] };
    const live = rowsOf({ messages: [before], runs: [{ runId: "r1", startedAt: minutesLater(2) }] });
    const finished = rowsOf({ messages: [before, said(30, "It took long", { run })] });
    expect(live[1]!.startsGroup).toBe(false);
    expect(finished[1]!.startsGroup).toBe(false);
  });
});

describe("days", () => {
  it("begin with the first message of each", () => {
    const messages = [said(1, "Today"), said(2, "Still"), said(3, "Tomorrow", { created_at: minutesLater(24 * 60) })];
    const midnight = new Date(NOON).setHours(0, 0, 0, 0);
    expect(rowsOf({ messages }).map((row) => row.day)).toEqual([midnight, undefined, new Date(midnight).setDate(26)]);
  });

  it("move up when older messages of the same day come", () => {
    const messages = [said(2, "Two"), said(3, "Three")];
    const before = rowsOf({ messages });
    const after = rowsOf({ messages: [said(1, "One"), ...messages] }, before);
    expect(after.map((row) => row.day !== undefined)).toEqual([true, false, false]);
    // Nothing is new about the last one.
    expect(after[2]).toBe(before[1]);
  });
});

describe("the line above what is new", () => {
  it("stands above the first message of the other side", () => {
    const messages = [said(1, "Old"), own(2, "Mine"), said(3, "New"), said(4, "Newer")];
    const rows = rowsOf({ messages, unreadAfter: 1 });
    expect(rows.map((row) => row.isFirstUnread)).toEqual([false, false, true, false]);
  });

  it("is not there if what is new begins further back than what is known", () => {
    const messages = [said(30, "New"), said(31, "Newer")];
    expect(rowsOf({ messages, unreadAfter: 1 }).some((row) => row.isFirstUnread)).toBe(false);
    expect(rowsOf({ messages, unreadAfter: 29 }).some((row) => row.isFirstUnread)).toBe(true);
  });

  it("skips what is deleted", () => {
    const messages = [said(1, "Old"), said(2, "", { deleted: true }), said(3, "New")];
    expect(rowsOf({ messages, unreadAfter: 1 }).map((row) => row.isFirstUnread)).toEqual([false, false, true]);
  });
});

describe("deleted messages", () => {
  it("that follow each other are one row", () => {
    const gone = [2, 3, 4].map((seq) => said(seq, "", { deleted: true }));
    const rows = rowsOf({ messages: [said(1, "Here"), ...gone, said(5, "Here")] });
    expect(rows.map((row) => row.kind)).toEqual(["message", "deleted", "message"]);
    expect(rows[1]).toMatchObject({ messageIds: ["m2", "m3", "m4"] });
  });

  it("are those, too, that are about to be", () => {
    const rows = rowsOf({ messages: [said(1, "Oh no")], removed: new Set(["m1"]) });
    expect(rows[0]).toMatchObject({ kind: "deleted", key: "m:m1" });
  });
});

describe("quotes", () => {
  it("show what a message answers", () => {
    const first = said(1, "What is it?");
    const rows = rowsOf({ messages: [first, own(2, "A parser", { reply_to: "m1" })] });
    expect(rows[1]).toMatchObject({ quote: { messageId: "m1", message: first } });
  });

  it("are left out where an answer stands right below its question", () => {
    const messages = [own(1, "First"), own(2, "Second"), said(3, "On the second", { reply_to: "m2" }), said(4, "On the first", { reply_to: "m1" })];
    expect(rowsOf({ messages })).toMatchObject([{}, {}, { quote: undefined }, { quote: { messageId: "m1" } }]);
  });

  it("lead to messages that are not known", () => {
    const rows = rowsOf({ messages: [own(9, "That one", { reply_to: "m1" })] });
    expect(rows[0]).toMatchObject({ quote: { messageId: "m1", message: undefined } });
  });
});

it("A message is found by its id", () => {
  const gone = [2, 3].map((seq) => said(seq, "", { deleted: true }));
  const rows = rowsOf({ messages: [said(1, "One"), ...gone, said(4, "Four")] });
  expect(["m4", "m3", "m2", "m9"].map((id) => indexOfMessage(rows, id))).toEqual([2, 1, 1, undefined]);
});

it("A message that changes is a new row, and only that one", () => {
  const messages = [said(1, "One"), said(2, "Two"), said(3, "Three")];
  const before = rowsOf({ messages });
  const after = rowsOf({ messages: messages.map((each) => (each.message_id === "m2" ? { ...each, content: "2" } : each)) }, before);
  expect(after.map((row, index) => row === before[index])).toEqual([true, false, true]);
});

// ---- whatever happens

type Drawn<Of> = Of extends fc.Arbitrary<infer Value> ? Value : never;

const message = fc.record({
  isOwn: fc.boolean(),
  hasClientId: fc.boolean(),
  isRun: fc.boolean(),
  deleted: fc.boolean(),
  minutes: fc.nat(20),
  repliesTo: fc.option(fc.nat(30), { nil: undefined }),
});

function built(parts: readonly Drawn<typeof message>[]): Message[] {
  let minute = 0;
  return parts.map(({ isOwn, hasClientId, isRun, deleted, minutes, repliesTo }, index) => {
    const seq = index + 1;
    minute += minutes * 17;
    const over: Partial<Message> = { created_at: minutesLater(minute), deleted };
    if (repliesTo !== undefined) over.reply_to = `m${repliesTo}`;
    if (isOwn) return said(seq, "x", { ...over, sender_type: "client", ...(hasClientId ? { client_id: `k${seq}` } : {}) });
    return isRun ? answered(seq, "x", `r${seq}`, over) : said(seq, "x", over);
  });
}

const scene = fc.record({
  parts: fc.array(message, { maxLength: 30 }),
  outgoing: fc.uniqueArray(fc.nat(40), { maxLength: 6 }),
  runs: fc.uniqueArray(fc.nat(40), { maxLength: 6 }),
  removed: fc.array(fc.nat(30), { maxLength: 4 }),
  unreadAfter: fc.option(fc.nat(30), { nil: undefined }),
  hasOlder: fc.boolean(),
  isTyping: fc.boolean(),
  olderLeftOut: fc.nat(30),
});

function inputOf(drawn: Drawn<typeof scene>): RowsInput {
  return {
    messages: built(drawn.parts),
    hasOlder: drawn.hasOlder,
    hasNewer: false,
    outgoing: drawn.outgoing.map((n) => outgoing(`k${n}`, "x")),
    runs: drawn.runs.map((n) => ({ runId: `r${n}`, startedAt: undefined })),
    isTyping: drawn.isTyping,
    unreadAfter: drawn.unreadAfter,
    removed: new Set(drawn.removed.map((n) => `m${n}`)),
  };
}

describe("whatever a conversation holds", () => {
  it("no key is there twice", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        const keys = keysOf(buildRows(inputOf(drawn)));
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  it("each message is shown once, in its order, and nothing is lost", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        const input = inputOf(drawn);
        const rows = buildRows(input);
        const isGone = ({ deleted, message_id: id }: Message): boolean => Boolean(deleted) || input.removed.has(id);
        const shown = rows.flatMap((row) => (row.kind === "message" ? [row.message] : []));
        expect(shown).toEqual(input.messages.filter((each) => !isGone(each)));
        const gone = rows.reduce((sum, row) => sum + (row.kind === "deleted" ? row.messageIds.length : 0), 0);
        expect(gone).toBe(input.messages.filter(isGone).length);
      }),
    );
  });

  it("at most one line stands above what is new, and each day begins once", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        const rows = buildRows({ ...inputOf(drawn), outgoing: [] });
        expect(rows.filter((row) => row.isFirstUnread).length).toBeLessThanOrEqual(1);
        const days = rows.flatMap((row) => (row.day === undefined ? [] : [row.day]));
        expect(days).toEqual([...new Set(days)].toSorted((one, other) => one - other));
      }),
    );
  });

  it("keys of what stays are the same when older messages come", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        const whole = inputOf(drawn);
        const messages = whole.messages.slice(drawn.olderLeftOut);
        const before = buildRows({ ...whole, messages });
        const after = new Set(keysOf(buildRows(whole, before)));
        const stays = before.filter((row) => row.kind !== "beginning" && row.kind !== "outgoing" && row.kind !== "live");
        expect(stays.filter((row) => !after.has(row.key))).toEqual([]);
      }),
    );
  });

  it("building anew from the same gives the same objects", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        const input = inputOf(drawn);
        const before = buildRows(input);
        const after = buildRows(input, before);
        const merged = after.filter((row, index) => row !== before[index]);
        expect(merged).toEqual([]);
      }),
    );
  });
});
