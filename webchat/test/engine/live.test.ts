import type { RunView } from "@amtrio/client";
import { expect, test } from "vitest";
import { LiveStore } from "../../src/engine/live.ts";

const run = (id: string, rev: number): RunView => ({
  run_id: id,
  conversation_id: "c1",
  agent_id: "helper",
  reply_to: undefined,
  started_at: "2026-11-25T10:00:00Z",
  rev,
  parts: [],
});

test("views of a run are told once per frame, and views of other runs not at all", () => {
  const live = new LiveStore();
  const told: string[] = [];
  live.subscribe("r1", () => told.push("r1"));
  live.subscribe("r2", () => told.push("r2"));
  for (let rev = 1; rev <= 20; rev += 1) live.set(run("r1", rev));
  expect(told).toEqual([]);
  live.flush();
  expect(told).toEqual(["r1"]);
  expect(live.get("r1")?.rev).toBe(20);
});

test("who does not listen any more is told nothing", () => {
  const live = new LiveStore();
  const told: string[] = [];
  const stop = live.subscribe("r1", () => told.push("r1"));
  stop();
  live.set(run("r1", 1));
  live.flush();
  expect(told).toEqual([]);
});

test("a run that is over is there no more", () => {
  const live = new LiveStore();
  live.set(run("r1", 1));
  live.delete("r1");
  expect(live.get("r1")).toBeUndefined();
});
