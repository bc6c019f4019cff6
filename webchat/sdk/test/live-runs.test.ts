import { describe, expect, test } from "vitest";
import { LiveRuns, textOf, type AmtrioEvent, type Message } from "../src/index.js";

const OF = { run_id: "run-1", conversation_id: "conv_01" };
const begun: AmtrioEvent = {
  type: "run_snapshot",
  data: { ...OF, agent_id: "demo", rev: 1, started_at: "", parts: [{ part: 0, kind: "text", text: "Hel" }] },
};
const more = (rev: number, offset: number, text: string): AmtrioEvent => ({
  type: "run_delta",
  data: { ...OF, rev, parts: [{ part: 0, offset, text }] },
});
const ended: AmtrioEvent = { type: "run_ended", seq: 48, data: { ...OF, agent_id: "demo", outcome: "stopped" } };
const message: AmtrioEvent = {
  type: "message",
  seq: 47,
  data: { message_id: "msg_09", conversation_id: "conv_01", run: { run_id: "run-1", outcome: "done", parts: [] } } as unknown as Message,
};

describe("a live run", () => {
  test("is shown as it grows", () => {
    const runs = new LiveRuns();
    runs.apply(begun);
    const news = runs.apply(more(2, 3, "lo"));

    expect(news).toMatchObject({ kind: "shown", run: { rev: 2 } });
    expect(runs.of("conv_01").map(textOf)).toEqual(["Hello"]);
    expect(runs.of("conv_02")).toEqual([]);
  });

  test("says nothing new twice", () => {
    const runs = new LiveRuns();
    runs.apply(begun);
    runs.apply(more(2, 3, "lo"));

    expect(runs.apply(more(2, 3, "lo"))).toBeUndefined();
  });

  test("of which something is missing is a hole, which a snapshot fills", () => {
    const runs = new LiveRuns();
    expect(runs.apply(more(2, 3, "lo"))).toEqual({ kind: "hole", runId: "run-1" });
    runs.apply(begun);

    expect(runs.apply(more(3, 5, "!"))).toEqual({ kind: "hole", runId: "run-1" });
    expect(textOf(runs.get("run-1")!)).toBe("Hel");
  });

  test.each([
    ["its message", message],
    ["run_ended", ended],
  ])("ends with %s, and whatever comes late is ignored", (_, end) => {
    const runs = new LiveRuns();
    runs.apply(begun);

    expect(runs.apply(end)).toEqual({ kind: "ended", runId: "run-1" });
    expect([begun, more(2, 3, "lo"), end].map((event) => runs.apply(event))).toEqual([undefined, undefined, undefined]);
    expect(runs.of("conv_01")).toEqual([]);
  });

  test("is forgotten with a snapshot of the account, and told anew behind it", () => {
    const runs = new LiveRuns();
    runs.apply(begun);
    runs.apply({ type: "snapshot", data: { epoch: "ep", seq: 9, conversations: [] }, seq: 9 });
    expect(runs.get("run-1")).toBeUndefined();

    expect(runs.apply(begun)).toMatchObject({ kind: "shown" });
  });
});
