import { beforeEach, expect, test } from "vitest";
import { obstacle } from "../../src/attachments/allowed.ts";
import { chat } from "../../src/engine/state.ts";
import { AGENT, HERE, stage, THERE } from "../composer/stage.tsx";

beforeEach(() => {
  stage();
});

test("files go to an agent that takes them, and to one that says nothing of itself", () => {
  expect(obstacle(chat.getState(), HERE)).toBeUndefined();
  expect(obstacle(chat.getState(), THERE)).toBeUndefined();
});

test("an agent whose card leaves them out gets none", () => {
  chat.setState({ agents: { coder: { ...AGENT, supports: ["stop"] } } });
  expect(obstacle(chat.getState(), HERE)).toBe("notThisAgent");
});

test("encrypted conversations get them like others", () => {
  chat.setState({ secrecy: { [HERE]: { kind: "on", safetyNumber: "1", verified: true } } });
  expect(obstacle(chat.getState(), HERE)).toBeUndefined();
});
