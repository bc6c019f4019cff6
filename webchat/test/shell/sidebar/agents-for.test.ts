import { expect, test } from "vitest";
import { agentsFor } from "../../../src/shell/sidebar/agents-for.ts";
import { agent } from "../seed.tsx";

const agents = {
  zoe: agent("zoe", { name: "Zoe", description: "Cooks dinner" }),
  ann: agent("ann", { name: "Ann", online: false }),
  bob: agent("bob", { name: "Bob", capabilities: ["travel"] }),
};
const ids = (query: string): string[] => agentsFor(agents, query).map((each) => each.agent_id);

test("whoever is there stands first, then they go by name", () => {
  expect(ids("")).toEqual(["bob", "zoe", "ann"]);
});

test("agents are found by name and by what they do", () => {
  expect(ids("AN")).toEqual(["ann"]);
  expect(ids("dinner")).toEqual(["zoe"]);
  expect(ids("travel")).toEqual(["bob"]);
  expect(ids("nobody")).toEqual([]);
});
