import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readFrame } from "../src/frames.js";
import { applyDelta, applySnapshot, partsOf, statusOf, textOf, type RunView } from "../src/run-view.js";
import type { Message, PartDelta, RunDelta, RunSnapshot } from "../src/shapes.js";
import { examples } from "./protocol-examples.js";

const snapshot = (rev: number, ...parts: RunSnapshot["parts"]): RunSnapshot => ({
  run_id: "run-1",
  conversation_id: "conv_01",
  agent_id: "demo",
  rev,
  started_at: "2026-11-22T17:07:02.000Z",
  parts,
});
const delta = (rev: number, ...parts: PartDelta[]): RunDelta => ({
  run_id: "run-1",
  conversation_id: "conv_01",
  rev,
  parts,
});
const hello = applySnapshot(undefined, snapshot(7, { part: 0, kind: "text", text: "Hello " }));

function example<T>(type: string): T {
  const frames = examples("json server").map((text) => readFrame(text)!);
  return frames.findLast((frame) => frame.type === type && (type !== "message" || frame.data["run"]))!.data as T;
}

describe("the five rules", () => {
  test("1: the next rev is applied, part by part, as the page shows", () => {
    const before = applySnapshot(undefined, example<RunSnapshot>("run_snapshot"));
    const after = applyDelta(before, example<RunDelta>("run_delta")) as RunView;

    expect(after.rev).toBe(8);
    expect(textOf(after)).toBe("Hello \n\nThere is");
    expect(after.parts[1]!.meta["state"]).toBe("done");
    expect(after.parts[0]).toBe(before.parts[0]); // a view library sees that it is the same
  });

  test("2: a rev that is not above one's own changes nothing", () => {
    expect(applyDelta(hello, delta(7, { part: 0, offset: 6, text: "twice" }))).toBe(hello);
  });

  test.each([
    ["a rev beyond the next", hello, delta(9, { part: 0, offset: 6, text: "x" })],
    ["a run that is not known", undefined, delta(8, { part: 0, offset: 6, text: "x" })],
    ["a text that does not go on where the part ends", hello, delta(8, { part: 0, offset: 5, text: "x" })],
    ["a part beyond the next", hello, delta(8, { part: 2, kind: "text", offset: 0, text: "x" })],
    ["a new part without its kind", hello, delta(8, { part: 1, offset: 0, text: "x" })],
  ])("3: %s is a hole", (_, view, news) => {
    expect(applyDelta(view, news)).toBe("hole");
  });

  test("4: a snapshot that is not older replaces all, an older one nothing", () => {
    expect(textOf(applySnapshot(hello, snapshot(7, { part: 0, kind: "text", text: "Other" })))).toBe("Other");
    expect(applySnapshot(hello, snapshot(6))).toBe(hello);
  });
});

describe("a view of a run", () => {
  test("counts code points, not UTF-16 units", () => {
    const thumb = applySnapshot(undefined, snapshot(1, { part: 0, kind: "text", text: "👍" }));
    const after = applyDelta(thumb, delta(2, { part: 0, offset: 1, text: "👎!" })) as RunView;

    expect(textOf(after)).toBe("👍👎!");
    expect(after.parts[0]!.length).toBe(3);
  });

  test("takes as status what was said last", () => {
    const view = applySnapshot(
      undefined,
      snapshot(1, { part: 0, kind: "status", meta: { text: "old" } }, { part: 1, kind: "status", meta: { text: "new" } }),
    );

    expect(statusOf(view)).toBe("new");
    expect(statusOf(hello)).toBeUndefined();
  });

  test("is the same however a text was cut into deltas, and whatever of them came twice", () => {
    const pieces = fc.array(fc.record({ text: fc.string({ unit: "binary", minLength: 1 }), twice: fc.boolean() }));
    fc.assert(
      fc.property(pieces, (all) => {
        let view = applySnapshot(undefined, snapshot(0, { part: 0, kind: "text" }));
        let offset = 0;
        for (const [index, { text, twice }] of all.entries()) {
          const news = delta(index + 1, { part: 0, offset, text });
          for (let times = twice ? 2 : 1; times > 0; times -= 1) view = applyDelta(view, news) as RunView;
          offset += [...text].length;
        }
        expect(view.parts[0]!.text).toBe(all.map(({ text }) => text).join(""));
      }),
    );
  });
});

describe("the parts of a finished run", () => {
  const message = example<Message>("message");

  test("have each its text of the content", () => {
    expect(partsOf(message).map((part) => [part.kind, part.text])).toEqual([
      ["text", "Hello "],
      ["tool", ""],
      ["text", "There is nothing."],
    ]);
  });

  test("are cut by code points", () => {
    const run = { ...message.run!, parts: [{ part: 0, kind: "text", length: 2 }, { part: 1, kind: "text", length: 1 }] };

    expect(partsOf({ ...message, content: "👍👎\n\n🎉", run }).map((part) => part.text)).toEqual(["👍👎", "🎉"]);
  });

  test("are the content alone and the other parts once it was edited", () => {
    const edited = { ...message, content: "Nothing.", edited_at: "2026-11-22T17:09:00.000Z" };

    expect(partsOf(edited).map((part) => [part.kind, part.text])).toEqual([
      ["text", "Nothing."],
      ["tool", ""],
    ]);
  });

  test("are none of a run that ended before it said anything, edited or not", () => {
    const { parts: _, ...run } = { ...message.run!, outcome: "failed" };

    expect(partsOf({ ...message, run })).toEqual([]);
    expect(partsOf({ ...message, run, edited_at: "2026-11-22T17:09:00.000Z" }).map((part) => part.kind)).toEqual(["text"]);
  });

  test.each([
    [["reasoning", "text", "tool"]],
    [["tool", "reasoning"]],
    [["text", "tool", "text"]],
  ])("keep their numbers once it was edited, and the content has one that no other has: %j", (kinds) => {
    const parts = kinds.map((kind, part) => ({ part, kind, ...(kind === "text" ? { length: 1 } : { text: kind }) }));
    const edited = { ...message, content: "Nothing.", edited_at: "2026-11-22T17:09:00.000Z", run: { ...message.run!, parts } };

    const [whole, ...others] = partsOf(edited);

    expect(others.map((each) => [each.part, each.kind])).toEqual(
      parts.filter(({ kind }) => kind !== "text").map(({ part, kind }) => [part, kind]),
    );
    expect(whole).toMatchObject({ kind: "text", text: "Nothing." });
    expect(others.map((each) => each.part)).not.toContain(whole!.part);
  });

  test("are none without a run", () => {
    const { run: _, ...plain } = message;

    expect(partsOf(plain)).toEqual([]);
  });
});
