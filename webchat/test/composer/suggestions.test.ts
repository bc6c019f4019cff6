import { expect, test } from "vitest";
import { suggestAgents, suggestCommands, tokenAt } from "../../src/composer/suggestions.ts";
import { AGENT } from "./stage.tsx";

test("a slash offers commands at the start of the message alone", () => {
  expect(tokenAt("/re", 3)).toEqual({ kind: "command", query: "re", start: 0 });
  expect(tokenAt("see /re", 7)).toBeUndefined();
  expect(tokenAt("/run it", 7)).toBeUndefined();
});

test("an at sign offers agents at the beginning of any word, but not inside of an address", () => {
  expect(tokenAt("ask @sc", 7)).toEqual({ kind: "agent", query: "sc", start: 4 });
  expect(tokenAt("bob@sc", 6)).toBeUndefined();
});

test("a colon offers emoji from two letters on, and leaves times and smileys alone", () => {
  expect(tokenAt("well :smi", 9)).toEqual({ kind: "emoji", query: "smi", start: 5 });
  for (const text of [":s", ":)", "at 10:30", "https://x"]) expect(tokenAt(text, text.length)).toBeUndefined();
});

test("only what stands before the caret counts", () => {
  expect(tokenAt("/review", 3)).toEqual({ kind: "command", query: "re", start: 0 });
});

test("commands that begin with the letters come before those that have them inside", () => {
  const commands = [{ name: "overrun" }, { name: "run" }, { name: "dry-run" }, { name: "help" }];
  expect(suggestCommands("run", commands).map((each) => each.label)).toEqual(["/run", "/dry-run", "/overrun"]);
});

test("a slash alone shows every command, a letter the few that fit best", () => {
  const commands = Array.from({ length: 13 }, (_, at) => ({ name: `run-${at}` }));
  expect(suggestCommands("", commands)).toHaveLength(13);
  expect(suggestCommands("r", commands)).toHaveLength(8);
});

test("a command says its arguments and what it does, and is followed by a space", () => {
  expect(suggestCommands("run", AGENT.commands!)).toEqual([
    { id: "run", text: "/run ", label: "/run", aside: "FILE", description: "Run a script" },
  ]);
});

test("an agent without a name goes by its id", () => {
  expect(suggestAgents("ro", [{ agent_id: "robot" }]).map((each) => each.text)).toEqual(["@robot "]);
});
