import { describe, expect, test } from "vitest";
import { readEvent } from "../src/events.js";
import { readFrame } from "../src/frames.js";
import { examples } from "./protocol-examples.js";

const frames = examples("json server").map((text) => readFrame(text)!);
const NO_EVENT = new Set(["connected", "resync", "error"]);
const told = frames.filter((frame) => frame.ref === undefined && !NO_EVENT.has(frame.type));

describe("the examples of the protocol", () => {
  test("there are dozens of them", () => {
    expect(told.length).toBeGreaterThan(25);
  });

  test.each(told.map((frame) => [frame.type, frame] as const))("%s is known, whole and as it came", (type, frame) => {
    const event = readEvent(frame);

    expect(event.type).toBe(type);
    expect(event.data).toEqual(frame.data);
    expect(event.seq).toBe(frame.seq);
  });
});

describe("what a newer server says", () => {
  test("an event of a type not known here is unknown, and its number counts", () => {
    expect(readEvent({ type: "poll_opened", seq: 7, data: { a: 1 } })).toEqual({
      type: "unknown",
      seq: 7,
      data: { type: "poll_opened", data: { a: 1 } },
    });
  });

  test.each(["constructor", "__proto__", "online", "snapshot"])("%s is no event of a server", (type) => {
    expect(readEvent({ type, data: {} }).type).toBe("unknown");
  });

  test("fields not known here stay", () => {
    const event = readEvent({ type: "conversation_deleted", seq: 1, data: { conversation_id: "c", why: "x" } });

    expect(event).toEqual({ type: "conversation_deleted", seq: 1, data: { conversation_id: "c", why: "x" } });
  });

  test("an event without what it cannot do without is unknown", () => {
    expect(readEvent({ type: "message", seq: 3, data: { message_id: "m" } }).type).toBe("unknown");
  });
});
