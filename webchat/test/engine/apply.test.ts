import type { AmtrioEvent, Message } from "@amtrio/client";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EMPTY, type ChatState, type Outgoing } from "../../src/engine/state.ts";
import { stretch } from "../../src/engine/timeline.ts";
import { after, applied, conversation, event, message } from "./scene.ts";

const BEGUN = after([event("conversation_created", conversation())]);

function opened(messages: readonly Message[], from: ChatState = BEGUN): ChatState {
  const state = after(messages.map((each) => event("message", each)), from);
  return { ...state, timelines: { c1: stretch(messages, messages.at(-1)?.conversation_seq ?? 0) } };
}

describe("a message", () => {
  test("of the other side raises the badge of its conversation and is its preview", () => {
    const state = after([event("message", message(1))], BEGUN);
    expect(state.conversations["c1"]).toMatchObject({ unread: 1, lastSeq: 1, last: { message_id: "m1" } });
  });

  test("of oneself, said on another device, raises no badge", () => {
    const state = after([event("message", message(1, { sender_type: "client" }))], BEGUN);
    expect(state.conversations["c1"]).toMatchObject({ unread: 0, lastSeq: 1 });
  });

  test("that is told twice is counted once and shown once", () => {
    const once = opened([message(1), message(2)]);
    const twice = after([event("message", message(2))], once);
    expect(twice.conversations["c1"]).toEqual(once.conversations["c1"]);
    expect(twice.timelines["c1"]?.messages).toEqual(once.timelines["c1"]?.messages);
  });

  test("for another conversation never appears in the open one", () => {
    const state = after([event("message", message(1, { conversation_id: "c2" }))], opened([message(1)]));
    expect(state.timelines["c1"]?.messages.map((each) => each.conversation_id)).toEqual(["c1"]);
  });

  test("of a conversation that is not known makes a row for it, and says that it is to be fetched", () => {
    const result = applied(EMPTY, event("message", message(5, { conversation_id: "c9" })));
    expect(result.state.conversations["c9"]).toMatchObject({ agent_id: "helper", unread: 1, lastSeq: 5 });
    expect(result.missing).toBe("c9");
  });

  test("takes the place of the bubble that waited for it, and of no other", () => {
    const row = { conversationId: "c1", replyTo: undefined, attachments: [], createdAt: 1, state: "sending", error: undefined, encrypted: false } as const;
    const waiting = [{ ...row, clientId: "one", content: "1" }, { ...row, clientId: "two", content: "2" }];
    const state = after([event("message", message(1, { sender_type: "client", client_id: "two" }))], { ...BEGUN, outgoing: { c1: waiting } });
    expect(state.outgoing["c1"]?.map((each) => each.clientId)).toEqual(["one"]);
  });

  test("ends the typing of who said it", () => {
    const typing = after([event("typing", { conversation_id: "c1", sender_type: "agent", sender_id: "helper", typing: true })], BEGUN);
    expect(typing.typing["c1"]).toBe(6000);
    expect(after([event("message", message(1))], typing).typing["c1"]).toBeUndefined();
  });

  test("brings its conversation out of the archive, unless that is muted for ever", () => {
    const archived = (until: string | null): ChatState =>
      after([event("conversation_state", { conversation_id: "c1", pinned: false, archived: true, muted_until: until, tags: [] })], BEGUN);
    expect(after([event("message", message(1))], archived(null)).conversations["c1"]?.archived).toBe(false);
    expect(after([event("message", message(1))], archived("9999-12-31T23:59:59.999Z")).conversations["c1"]?.archived).toBe(true);
  });

  test("behind a hole of an open conversation is not shown out of place: the rest is fetched", () => {
    const result = applied(opened([message(1)]), event("message", message(3)));
    expect(result.state.timelines["c1"]?.messages.map((each) => each.conversation_seq)).toEqual([1]);
    expect(result.missing).toBe("c1");
  });

  test("is left to come in its time where the past is open", () => {
    const state = { ...opened([message(1)]), timelines: { c1: { ...stretch([message(1)], 9), hasNewer: true } } };
    expect(applied(state, event("message", message(10))).missing).toBeUndefined();
  });
});

describe("a message that is answered from far away", () => {
  const far = message(1, { content: "the harbour" });
  const quoting = { ...BEGUN, quoted: { m1: far } };

  test("says what it says after an edit, and that it is gone when it is", () => {
    const edited = { ...far, content: "the other harbour" };
    expect(after([event("message_edited", edited)], quoting).quoted).toEqual({ m1: edited });
    const gone = { ...far, content: "", deleted: true };
    expect(after([event("message_deleted", gone)], quoting).quoted).toEqual({ m1: gone });
  });

  test("is one of those that somebody looked for, not any that changes", () => {
    expect(after([event("message_edited", message(2))], quoting).quoted).toEqual({ m1: far });
  });
});

describe("a deleted message", () => {
  test("shows the one before it as preview and gives back its place in the badge", () => {
    const state = after([event("message_deleted", message(2, { content: "", deleted: true }))], opened([message(1), message(2)]));
    expect(state.conversations["c1"]).toMatchObject({ unread: 1, last: { message_id: "m1" } });
    expect(state.timelines["c1"]?.messages[1]).toMatchObject({ deleted: true, content: "" });
  });

  test("is given back once, however often it is told", () => {
    const gone = event("message_deleted", message(2, { content: "", deleted: true }));
    const state = after([gone, gone], opened([message(1), message(2)]));
    expect(state.conversations["c1"]?.unread).toBe(1);
  });
});

describe("receipts", () => {
  test("of one's other device clear the badge here", () => {
    const read = event("receipt", { conversation_id: "c1", account_kind: "user", account_id: "alice", read_up_to: 2, delivered_up_to: 2 });
    expect(after([read], opened([message(1), message(2)])).conversations["c1"]).toMatchObject({ unread: 0, readUpTo: 2 });
  });

  test("of a part leave what is behind it unread", () => {
    const read = event("receipt", { conversation_id: "c1", account_kind: "user", account_id: "alice", read_up_to: 1, delivered_up_to: 3 });
    expect(after([read], opened([message(1), message(2), message(3)])).conversations["c1"]).toMatchObject({ unread: 2 });
  });

  test("never go back", () => {
    const at = (upTo: number): AmtrioEvent =>
      event("receipt", { conversation_id: "c1", account_kind: "agent", account_id: "helper", read_up_to: upTo, delivered_up_to: upTo });
    expect(after([at(7), at(3)], BEGUN).conversations["c1"]?.receipts).toEqual([
      { account_kind: "agent", account_id: "helper", read_up_to: 7, delivered_up_to: 7 },
    ]);
  });

  test("of a delivery leave what was read as it was", () => {
    const read = event("receipt", { conversation_id: "c1", account_kind: "agent", account_id: "helper", read_up_to: 2, delivered_up_to: 2 });
    const delivered = event("delivered", { conversation_id: "c1", account_kind: "agent", account_id: "helper", delivered_up_to: 5 });
    expect(after([read, delivered], BEGUN).conversations["c1"]?.receipts).toMatchObject([{ read_up_to: 2, delivered_up_to: 5 }]);
  });
});

test("a question that was answered on another device waits no more in the list, also where its chat was never opened", () => {
  const question = { options: [{ id: "yes", label: "Yes" }], state: "open" } as never as NonNullable<Message["question"]>;
  const asked = after([event("message", message(1, { question }))], BEGUN);
  const answered = event("question_answered", { conversation_id: "c1", message_id: "m1", question: { ...question, state: "answered" } } as never);
  expect(after([answered], asked).conversations["c1"]?.last).toMatchObject({ message_id: "m1", question: { state: "answered" } });
  const other = after([event("message", message(2))], asked);
  expect(after([answered], other).conversations["c1"]?.last).toEqual(other.conversations["c1"]?.last);
});

describe("reactions", () => {
  const thumb = { message_id: "m1", conversation_id: "c1", emoji: "👍", account_kind: "user", account_id: "alice" };

  test("that are heard of twice are one", () => {
    const state = after([event("reaction_added", thumb), event("reaction_added", thumb)], opened([message(1)]));
    expect(state.timelines["c1"]?.messages[0]?.reactions).toHaveLength(1);
  });

  test("that are taken away leave none behind", () => {
    const state = after([event("reaction_added", thumb), event("reaction_removed", thumb)], opened([message(1)]));
    expect(state.timelines["c1"]?.messages[0]).not.toHaveProperty("reactions");
  });
});

describe("a snapshot", () => {
  test("stands for the messages in it: what waited for being told of them does not wait for ever", () => {
    const waits = (clientId: string): Outgoing => ({
      clientId,
      conversationId: "c1",
      content: "",
      replyTo: undefined,
      attachments: [],
      createdAt: 1,
      state: "sending",
      error: undefined,
      encrypted: false,
    });
    const before = { ...BEGUN, outgoing: { c1: [waits("arrived"), waits("on its way")] } };
    const messages = [message(1, { sender_type: "client", client_id: "arrived" })];
    const data = { epoch: "e2", seq: 40, conversations: [{ ...conversation(), messages, receipts: [] }] };
    expect(after([event("snapshot", data)], before).outgoing["c1"]).toEqual([waits("on its way")]);
  });

  test("replaces everything but what is only here", () => {
    const before: ChatState = { ...opened([message(1)]), drafts: { c1: "half a" } };
    const data = { epoch: "new", seq: 9, conversations: [{ ...conversation("c2"), receipts: [], messages: [message(4, { conversation_id: "c2" })], unread_count: 4, last_seq: 4 }] };
    const result = applied(before, event("snapshot", data));
    expect(Object.keys(result.state.conversations)).toEqual(["c2"]);
    expect(result.state.conversations["c2"]).toMatchObject({ unread: 4, lastSeq: 4 });
    expect(result.state.drafts).toEqual({ c1: "half a" });
    expect(result.change?.isAnew).toBe(true);
  });
});

describe("presence", () => {
  test("of an agent that went is told by its dot", () => {
    const known = after([event("agent_changed", { agent_id: "helper", status: "busy", online: true })]);
    const gone = after([event("presence_update", { id: "helper", type: "agent", online: false })], known);
    expect(gone.agents["helper"]).toMatchObject({ online: false, status: "offline" });
    const back = after([event("presence_update", { id: "helper", type: "agent", online: true })], gone);
    expect(back.agents["helper"]).toMatchObject({ online: true, status: "online" });
  });
});

/** What a person does and hears, as a script. */
const DEED = fc.record({
  deed: fc.constantFrom("told", "own", "read", "delete", "edit"),
  at: fc.nat(30),
});

test("badge, preview and text are those of the server, whatever happens and however often it is told", () => {
  fc.assert(
    fc.property(fc.array(DEED, { maxLength: 40 }), fc.nat(3), (script, repeats) => {
      const server: Message[] = [];
      let readUpTo = 0;
      const log: AmtrioEvent[] = [];
      for (const { deed, at } of script) {
        const chosen = server[at % Math.max(1, server.length)];
        if (deed === "told" || deed === "own") {
          const said = message(server.length + 1, { sender_type: deed === "own" ? "client" : "agent" });
          server.push(said);
          log.push(event("message", said));
        } else if (deed === "read") {
          readUpTo = Math.max(readUpTo, Math.min(at, server.length));
          log.push(event("receipt", { conversation_id: "c1", account_kind: "user", account_id: "alice", read_up_to: readUpTo, delivered_up_to: server.length }));
        } else if (chosen !== undefined && !chosen.deleted) {
          const now = deed === "delete" ? { ...chosen, content: "", deleted: true } : { ...chosen, content: `${chosen.content}!`, edited_at: "x" };
          server[chosen.conversation_seq - 1] = now;
          log.push(event(deed === "delete" ? "message_deleted" : "message_edited", now));
        }
      }
      let state: ChatState = { ...BEGUN, timelines: { c1: { ...stretch([], 0), hasOlder: false } } };
      for (const each of log) for (let times = 0; times <= repeats; times += 1) state = after([each], state);
      const shown = state.conversations["c1"]!;
      expect(state.timelines["c1"]?.messages).toEqual(server);
      expect(shown.unread).toBe(server.filter((each) => each.sender_type === "agent" && !each.deleted && each.conversation_seq > readUpTo).length);
      expect(shown.last?.message_id).toBe(server.findLast((each) => !each.deleted)?.message_id);
    }),
  );
});
