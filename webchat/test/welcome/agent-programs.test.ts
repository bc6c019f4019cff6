import { expect, test } from "vitest";
import { agentIdFrom, isAgentId, PROGRAM_KINDS, programOf } from "../../src/welcome/agent-programs.ts";

test.each([
  ["My Helper", "my-helper"],
  ["  Größe & Café!  ", "grosse-cafe"],
  ["日本", ""],
  ["x".repeat(80), "x".repeat(64)],
])("from the name %j comes the id %j", (name, id) => {
  expect(agentIdFrom(name)).toBe(id);
});

test("ids are what every server takes", () => {
  expect(["a", "A.b_c-9", "x".repeat(64)].every(isAgentId)).toBe(true);
  expect(["", "a b", "ä", "x".repeat(65), "a\n"].some(isAgentId)).toBe(false);
});

test("every way to connect says where, who and with which credential", () => {
  for (const kind of PROGRAM_KINDS) {
    const text = programOf(kind, { url: "https://chat.example.org", agentId: "helper", token: "agt_x" });
    expect(text).toMatch(/https:\/\/chat\.example\.org/);
    expect(text).toMatch(/helper/);
    expect(text).toMatch(/agt_x/);
  }
});
