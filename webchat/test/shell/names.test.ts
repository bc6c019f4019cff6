import { expect, test } from "vitest";
import { agentName, chatName, presenceOf } from "../../src/shell/names.ts";
import { agent } from "./seed.tsx";

test("a chat is called by its title, else by its agent, else by the agent's id", () => {
  const agents = { coder: agent("coder", { name: "Coder" }) };
  expect(chatName({ title: "Holiday", agent_id: "coder" }, agents)).toBe("Holiday");
  expect(chatName({ title: null, agent_id: "coder" }, agents)).toBe("Coder");
  expect(agentName(agents, "gone")).toBe("gone");
});

test("whoever has no socket is offline, whatever it said before", () => {
  expect(presenceOf(agent("a", { online: false, status: "busy" }))).toBe("offline");
  expect(presenceOf(agent("a", { status: "busy" }))).toBe("busy");
  expect(presenceOf(agent("a", { status: "on the moon" }))).toBe("online");
  expect(presenceOf(undefined)).toBe("offline");
});
