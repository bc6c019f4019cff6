import { expect, test } from "vitest";
import { waysFor } from "../../src/composer/ways.ts";

const RUNNING = {
  isEditing: false,
  isAnswering: false,
  isRunning: true,
  supports: ["stop", "steer", "queue"],
  isMoreThanText: false,
  isEncrypted: false,
};

test("without a running answer there is nothing to choose", () => {
  expect(waysFor({ ...RUNNING, isRunning: false }, "steer")).toEqual(["send"]);
});

test("an agent that can be steered offers both, the remembered one first", () => {
  expect(waysFor(RUNNING, "steer")).toEqual(["steer", "queue"]);
  expect(waysFor(RUNNING, "queue")).toEqual(["queue", "steer"]);
});

test("an agent with a queue alone queues, one with neither is just sent to", () => {
  expect(waysFor({ ...RUNNING, supports: ["queue"] }, "steer")).toEqual(["queue"]);
  expect(waysFor({ ...RUNNING, supports: [] }, "steer")).toEqual(["send"]);
});

test("files, answers to messages and secrets are never said into a run", () => {
  expect(waysFor({ ...RUNNING, isMoreThanText: true }, "steer")).toEqual(["queue"]);
  expect(waysFor({ ...RUNNING, isEncrypted: true }, "steer")).toEqual(["queue"]);
});

test("a change to an old message is saved, whatever runs", () => {
  expect(waysFor({ ...RUNNING, isEditing: true }, "steer")).toEqual(["save"]);
});

test("an open question is answered, but not with files and not where words are secret", () => {
  expect(waysFor({ ...RUNNING, isAnswering: true }, "steer")).toEqual(["answer"]);
  expect(waysFor({ ...RUNNING, isAnswering: true, isMoreThanText: true }, "steer")).toEqual(["queue"]);
  expect(waysFor({ ...RUNNING, isAnswering: true, isEncrypted: true }, "steer")).toEqual(["queue"]);
});
