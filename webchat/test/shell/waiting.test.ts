import { expect, test } from "vitest";
import { waitingCount } from "../../src/shell/waiting.ts";
import { outgoing } from "./seed.tsx";

test("what the server has refused does not wait", () => {
  const all = { c1: [outgoing("a"), outgoing("b", { state: "failed" })], c2: [outgoing("c", { state: "sending" })] };
  expect(waitingCount(all)).toBe(2);
});
