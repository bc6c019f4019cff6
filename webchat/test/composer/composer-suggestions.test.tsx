import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { Composer } from "../../src/composer/composer.tsx";
import { HERE, show, stage, type Stage } from "./stage.tsx";

let scene: Stage;
beforeEach(() => {
  scene = stage();
});

const field = (): HTMLTextAreaElement => screen.getByRole("textbox");
const offered = (): (string | null)[] => screen.queryAllByRole("option").map((each) => each.textContent);
const chosen = (): string | null | undefined =>
  document.getElementById(field().getAttribute("aria-activedescendant") ?? "")?.textContent;

test("a slash offers the agent's commands with arguments and descriptions, and letters filter them", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "/");
  expect(offered()).toEqual(["/helpWhat this agent can do", "/runFILERun a script", "/reviewLook over a change"]);
  await userEvent.type(field(), "re");
  expect(offered()).toEqual(["/reviewLook over a change"]);
});

test("the list is walked by arrows while the focus stays in the field, and Enter inserts", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "/");
  expect(chosen()).toMatch(/^\/help/);
  expect(field().getAttribute("aria-controls")).toBe(screen.getByRole("listbox").id);
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{ArrowUp}");
  expect(chosen()).toMatch(/^\/review/);
  await userEvent.keyboard("{ArrowUp}{Enter}");
  expect(field().value).toBe("/run ");
  expect(document.activeElement).toBe(field());
  expect(offered()).toEqual([]);
  await userEvent.keyboard("a.py{Enter}");
  expect(scene.askedFor("send").map(([, content]) => content)).toEqual(["/run a.py"]);
});

test("Tab inserts too, and Escape closes the list for this word", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "/he{Tab}");
  expect(field().value).toBe("/help ");
  await userEvent.clear(field());
  await userEvent.type(field(), "/r{Escape}e");
  expect(offered()).toEqual([]);
  await userEvent.clear(field());
  await userEvent.type(field(), "/r");
  expect(offered()).toHaveLength(2);
});

test("Enter on a command that is written out sends it", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "/help{Enter}");
  expect(scene.askedFor("send").map(([, content]) => content)).toEqual(["/help"]);
});

test("a click inserts and leaves the focus in the field", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "/");
  await userEvent.click(screen.getAllByRole("option")[1]!);
  expect(field().value).toBe("/run ");
  expect(document.activeElement).toBe(field());
});

test("an at sign offers the names of agents", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "ask @sc{Enter}");
  expect(field().value).toBe("ask @Scout ");
});

test("a colon and two letters offer emoji of our own server", async () => {
  const asked: string[] = [];
  const answers: Record<string, unknown> = {
    "/emoji/en/data.json": [
      { label: "rocket", emoji: "🚀", tags: ["launch"], order: 1, group: 5, subgroup: 1, version: 0.6 },
      { label: "rose", emoji: "🌹", tags: ["flower"], order: 2, group: 3, subgroup: 1, version: 0.6 },
    ],
    "/emoji/en/messages.json": { groups: [], subgroups: [], skinTones: [] },
  };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (address) => {
    asked.push(String(address));
    return new Response(JSON.stringify(answers[String(address)]));
  });
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "off :roc");
  expect(await screen.findByRole("option")).toHaveProperty("textContent", "🚀 Rocket");
  await userEvent.keyboard("{Enter}");
  expect(field().value).toBe("off 🚀");
  expect(asked).toEqual(["/emoji/en/data.json", "/emoji/en/messages.json"]);
});
