import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Commands, refOf, type Command } from "../src/commands.js";
import { Closed, Refused } from "../src/errors.js";
import { readFrame, type Frame } from "../src/frames.js";

const id = (number: number): string => `client-id-${String(number).padStart(8, "0")}`;
const message = (commands: Commands, number: number): Command =>
  commands.add("message", { conversation_id: "conv_01", content: "x", client_id: id(number) });
const sealed = (commands: Commands, number: number): Command =>
  commands.add("encrypted_message", { conversation_id: "conv_02", ciphertext: "x", client_id: id(number) });
const sent = (commands: Commands, now = 0): Frame[] => commands.due(now).frames.map((text) => readFrame(text)!);
const limited = { code: "rate_limited", error: "too fast", retry: "after_ms", retry_after_ms: 500 };

describe("a command", () => {
  test("is sent once, and settled by the answer with its ref", () => {
    const commands = new Commands();
    const command = message(commands, 1);

    expect(sent(commands).map((frame) => frame.ref)).toEqual([refOf(command)]);
    expect(sent(commands)).toEqual([]);
    expect(commands.answered(refOf(command), "message_sent", { message_id: "m" }, 0)).toBe(command);
    expect(command.answer).toEqual({ message_id: "m" });
    expect(commands.size).toBe(0);
  });

  test("goes again after a drop, in order, with the same client_id and another ref", () => {
    const commands = new Commands();
    message(commands, 1);
    message(commands, 2);
    const first = sent(commands);
    commands.lost();
    const second = sent(commands);

    expect(second.map((frame) => frame.data)).toEqual(first.map((frame) => frame.data));
    expect(second.map((frame) => frame.ref)).toEqual(["1.2", "2.2"]);
  });

  test("is settled by a late answer to an earlier try, but not by a late refusal of one", () => {
    const commands = new Commands();
    const command = message(commands, 1);
    sent(commands);
    commands.lost();
    sent(commands);

    expect(commands.answered("1.1", "error", limited, 0)).toBeUndefined();
    expect(command.isSent).toBe(true);
    expect(commands.answered("1.1", "message_sent", {}, 0)).toBe(command);
  });

  test("fails for good when refused with `no`", () => {
    const commands = new Commands();
    const command = message(commands, 1);
    sent(commands);
    const details = { answer: { option_ids: ["no"] } };
    commands.answered("1.1", "error", { code: "answered", error: "somebody was faster", retry: "no", details }, 0);

    expect(command.failure).toBeInstanceOf(Refused);
    expect((command.failure as Refused).code).toBe("answered");
    expect((command.failure as Refused).details).toEqual(details);
  });

  test("refused with a retry rule of a newer server fails too", () => {
    const commands = new Commands();
    const command = message(commands, 1);
    sent(commands);
    commands.answered("1.1", "error", { code: "odd", error: "odd", retry: "next_tuesday" }, 0);

    expect(command.failure).toBeInstanceOf(Refused);
  });

  test("goes again as it was after a second where the server had trouble", () => {
    const commands = new Commands();
    message(commands, 1);
    sent(commands);
    commands.answered("1.1", "error", { code: "internal", error: "x", retry: "same_client_id" }, 100);

    expect(commands.nextDue()).toBe(1100);
    expect(sent(commands, 1099)).toEqual([]);
    expect(sent(commands, 1100).map((frame) => frame.data["client_id"])).toEqual([id(1)]);
  });

  test("is found by its client_id where the refusal has no ref", () => {
    const commands = new Commands();
    const command = message(commands, 1);
    sent(commands);

    expect(commands.answered(undefined, "error", { code: "x", retry: "no", client_id: id(1) }, 0)).toBe(command);
  });

  test("longer than the server takes is refused here, counted in bytes", () => {
    const commands = new Commands();
    commands.maxFrameBytes = 200;
    const command = commands.add("message", { content: "é".repeat(100) });

    expect(commands.due(0)).toEqual({ frames: [], refused: [command] });
    expect((command.failure as Refused).code).toBe("too_large");
    commands.add("message", { content: "e".repeat(100) });
    expect(commands.due(0).frames).toHaveLength(1);
  });

  test("fails when there will be no further socket", () => {
    const commands = new Commands();
    const command = message(commands, 1);

    expect(commands.abandon(new Closed("closed"))).toEqual([command]);
    expect(command.failure).toBeInstanceOf(Closed);
    expect(commands.nextDue()).toBe(Infinity);
  });
});

describe("under a rate limit", () => {
  test("nothing overtakes the refused message, and other commands do not wait", () => {
    const commands = new Commands();
    for (const number of [1, 2, 3]) message(commands, number);
    sent(commands);
    commands.answered("1.1", "message_sent", {}, 0);
    commands.answered("2.1", "error", limited, 0);
    message(commands, 4);
    commands.add("read", { conversation_id: "conv_01" });

    expect(sent(commands, 499).map((frame) => frame.type)).toEqual(["read"]);
    expect(sent(commands, 500).map((frame) => frame.data["client_id"])).toEqual([2, 3, 4].map(id));
  });

  test("encrypted messages overtake no other ones, nor are they overtaken: both are of one budget and one order", () => {
    for (const [first, second] of [[message, sealed], [sealed, message], [sealed, sealed]] as const) {
      const commands = new Commands();
      first(commands, 1);
      second(commands, 2);
      sent(commands);
      commands.answered("1.1", "error", limited, 0);
      second(commands, 3);

      expect(sent(commands, 499)).toEqual([]);
      expect(sent(commands, 500).map((frame) => frame.data["client_id"])).toEqual([1, 2, 3].map(id));
    }
  });
});

describe("when the server comes back with an older state", () => {
  test("what it answered in the last day goes again, before what waits", () => {
    const commands = new Commands();
    message(commands, 1);
    message(commands, 2);
    commands.add("history", { conversation_id: "conv_01" });
    sent(commands);
    commands.answered("1.1", "message_sent", {}, 0);
    commands.answered("2.1", "message_sent", {}, 1000);
    commands.answered("3.1", "history", {}, 1000);
    message(commands, 3);
    commands.restored(24 * 3_600_000 + 1000);

    expect(sent(commands, 0).map((frame) => frame.data["client_id"])).toEqual([2, 3].map(id));
  });
});

/** What docs/protocol.md, "Order under a rate limit", says a server does with messages. */
class RateLimitingServer {
  readonly stored: string[] = [];
  budget = 0;
  #refused: string | undefined;

  connected(): void {
    this.#refused = undefined;
  }

  take({ ref, data }: Frame): Frame {
    const clientId = data["client_id"] as string;
    const isKnown = this.stored.includes(clientId);
    const isHeld = this.#refused !== undefined && this.#refused !== clientId;
    if (!isKnown && (isHeld || this.budget === 0)) {
      if (!isHeld) this.#refused = clientId;
      return { type: "error", data: { ...limited, client_id: clientId }, ...(ref === undefined ? {} : { ref }) };
    }
    if (this.#refused === clientId) this.#refused = undefined;
    if (!isKnown) {
      this.stored.push(clientId);
      this.budget -= 1;
    }
    return { type: "message_sent", data: {}, ...(ref === undefined ? {} : { ref }) };
  }
}

test("whatever is limited, delayed and dropped: every message is stored once, in the order it was said", () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.constant("say" as const) },
    { weight: 2, arbitrary: fc.constant("say in secret" as const) },
    { weight: 3, arbitrary: fc.constant("arrive" as const) },
    { weight: 3, arbitrary: fc.constant("answer" as const) },
    { weight: 2, arbitrary: fc.constant("refill" as const) },
    { weight: 2, arbitrary: fc.constant("wait" as const) },
    { weight: 1, arbitrary: fc.constant("drop" as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const commands = new Commands();
      const server = new RateLimitingServer();
      let now = 0;
      let said = 0;
      let [onTheWay, answers]: [Frame[], Frame[]] = [[], []];
      const take = (what: (typeof steps)[number]): void => {
        if (what === "say") message(commands, (said += 1));
        if (what === "say in secret") sealed(commands, (said += 1));
        if (what === "refill") server.budget = 2;
        if (what === "wait") now += 300;
        if (what === "drop") {
          [onTheWay, answers] = [[], []];
          commands.lost();
          server.connected();
        }
        onTheWay.push(...sent(commands, now));
        const frame = what === "arrive" ? onTheWay.shift() : undefined;
        if (frame) answers.push(server.take(frame));
        const answer = what === "answer" ? answers.shift() : undefined;
        if (answer) commands.answered(answer.ref, answer.type, answer.data, now);
      };
      steps.forEach(take);
      for (let left = 2000; commands.size > 0 && left > 0; left -= 1) {
        for (const what of ["refill", "wait", "arrive", "arrive", "answer", "answer"] as const) take(what);
      }
      expect(commands.size).toBe(0);
      expect(server.stored).toEqual(Array.from({ length: said }, (_, index) => id(index + 1)));
    }),
  );
});
