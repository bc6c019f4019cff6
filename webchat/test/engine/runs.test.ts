import type { Connection, RunSnapshot } from "@amtrio/client";
import { beforeEach, expect, test } from "vitest";
import { live } from "../../src/engine/live.ts";
import { Runs } from "../../src/engine/runs.ts";
import { chat, EMPTY } from "../../src/engine/state.ts";
import { event, message } from "./scene.ts";

const PICTURE: RunSnapshot = {
  run_id: "r1",
  conversation_id: "c1",
  agent_id: "helper",
  rev: 3,
  started_at: "2026-11-25T10:00:00Z",
  parts: [{ part: 0, kind: "text", text: "Hello" }],
};
let asked: string[];
let runs: Runs;
const line = {
  send: async (_word: string, { run_id: id }: { run_id: string }) => {
    asked.push(id);
    return { ...PICTURE, rev: 9, parts: [{ part: 0, kind: "text", text: "Hello, all of it" }] };
  },
} as unknown as Connection;

beforeEach(() => {
  asked = [];
  runs = new Runs();
  live.clear();
  chat.setState(EMPTY);
});

const tell = (type: Parameters<typeof event>[0], data: object): void => runs.apply(event(type, data), line);
const delta = (rev: number, offset: number, text: string): object => ({ run_id: "r1", conversation_id: "c1", rev, parts: [{ part: 0, offset, text }] });

test("a run is listed while it goes on, and its words are not in the state", () => {
  tell("run_snapshot", PICTURE);
  const before = chat.getState();
  tell("run_delta", delta(4, 5, " there"));
  expect(chat.getState()).toBe(before);
  expect(before.runs["c1"]).toEqual(["r1"]);
  expect(live.get("r1")?.parts[0]?.text).toBe("Hello there");
});

test("its message takes its place, and what was said about stopping goes with it", () => {
  tell("run_snapshot", PICTURE);
  tell("run_control_state", { run_id: "r1", conversation_id: "c1", control_id: "x", action: "stop", state: "unresponsive" });
  expect(chat.getState().stopping).toEqual({ r1: "unresponsive" });
  tell("message", message(1, { run: { run_id: "r1", outcome: "stopped", parts: [] } }));
  expect(chat.getState()).toMatchObject({ runs: { c1: [] }, stopping: {} });
  expect(live.get("r1")).toBeUndefined();
});

test("a hole is filled by asking, once", async () => {
  tell("run_snapshot", PICTURE);
  tell("run_delta", delta(6, 20, "?"));
  tell("run_delta", delta(7, 21, "?"));
  await new Promise((resolve) => setTimeout(resolve));
  expect(asked).toEqual(["r1"]);
  expect(live.get("r1")?.parts[0]?.text).toBe("Hello, all of it");
});

test("words that come behind the end show nothing again", () => {
  tell("run_snapshot", PICTURE);
  tell("run_ended", { run_id: "r1", conversation_id: "c1", agent_id: "helper", outcome: "done" });
  tell("run_delta", delta(4, 5, " there"));
  expect(chat.getState().runs["c1"]).toEqual([]);
  expect(live.get("r1")).toBeUndefined();
});
