/** Suggestions while one writes: commands of the agent, agents, emoji; and all emoji to pick from. */

import { field, newest, test } from "./answers-scene.ts";
import { expect, type Page } from "./harness.ts";
import { faultsOf } from "./looking.ts";

const COMMANDS = [
  { name: "help", description: "shows what I understand" },
  { name: "tool", description: "runs a tool that shows its output", arguments: "[NUMBER]" },
  { name: "time", description: "tells the time" },
];

const list = (page: Page) => page.getByRole("listbox", { name: "Suggestions" });
const chosen = (page: Page) => list(page).getByRole("option", { selected: true });

/** The field points at the chosen one, so that a screen reader says it while the focus stays where one writes. */
async function expectPointed(page: Page): Promise<void> {
  await expect(field(page)).toHaveAttribute("aria-activedescendant", (await chosen(page).getAttribute("id"))!);
  await expect(field(page)).toBeFocused();
}

test("a slash offers the commands of the agent: arrows choose, Tab takes, Enter sends, Esc closes", async ({ chatWith }) => {
  const { coder, page } = await chatWith({ card: { commands: COMMANDS } });
  await page.keyboard.type("/");
  await expect(list(page).getByRole("option")).toHaveText([/^\/help/, /^\/tool.*\[NUMBER\]/, /^\/time/]);
  await expect(chosen(page)).toContainText("/help");
  await expectPointed(page);
  expect(await faultsOf(page, "composer-commands")).toEqual([]);
  await page.keyboard.press("ArrowUp");
  await expect(chosen(page)).toContainText("/time");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(chosen(page)).toContainText("/tool");
  await expectPointed(page);
  await page.keyboard.press("Tab");
  await expect(field(page)).toHaveValue("/tool ");
  await expect(list(page)).toBeHidden();
  await page.keyboard.type("7");
  await page.keyboard.press("Enter");
  expect((await coder.nextMessage()).content).toBe("/tool 7");

  await page.keyboard.type("/ti");
  await expect(chosen(page)).toContainText("/time");
  await page.keyboard.press("Escape");
  await expect(list(page)).toBeHidden();
  await expect(field(page)).toHaveValue("/ti");
  await page.keyboard.type("me");
  await page.keyboard.press("Enter");
  expect((await coder.nextMessage()).content).toBe("/time");
});

test("a slash in the middle of a text is no command, and a click takes one as well", async ({ chatWith }) => {
  const { page } = await chatWith({ card: { commands: COMMANDS } });
  await page.keyboard.type("either/or /");
  await expect(list(page)).toBeHidden();
  await field(page).fill("/he");
  await list(page).getByRole("option").click();
  await expect(field(page)).toHaveValue("/help ");
  await expect(field(page)).toBeFocused();
});

test("an @ offers agents by name", async ({ chatWith, agents }) => {
  const { page } = await chatWith();
  await agents.scripted("Cook", { specialty: "soups" });
  await page.keyboard.type("ask @coo");
  await expect(chosen(page)).toContainText("Cook");
  await expect(chosen(page)).toContainText("soups");
  await expectPointed(page);
  await page.keyboard.press("Enter");
  await expect(field(page)).toHaveValue("ask @Cook ");
});

test("a colon and two letters offer emoji in the language that is shown, from this server alone", async ({ chatWith }) => {
  // That nobody else is asked is watched over in every test.
  const { coder, page } = await chatWith({ locale: "de-DE" });
  await page.keyboard.type("um 10:30 :)");
  await expect(page.getByRole("listbox")).toBeHidden();
  await page.keyboard.type(" :kat");
  const german = page.getByRole("listbox", { name: "Vorschläge" });
  await expect(german.getByRole("option").first()).toContainText(/katze/i);
  const emoji = (await german.getByRole("option", { selected: true }).textContent())!.split(" ")[0]!;
  await page.keyboard.press("Enter");
  await expect(field(page)).toHaveValue(`um 10:30 :) ${emoji}`);
  await page.keyboard.press("Enter");
  expect((await coder.nextMessage()).content).toBe(`um 10:30 :) ${emoji}`);
});

test("all emoji can be searched and picked by keyboard, and go where the caret stands", async ({ chatWith }) => {
  const { page } = await chatWith();
  await page.keyboard.type("well done!");
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("button", { name: "Emoji", exact: true }).press("Enter");
  const dialog = page.getByRole("dialog", { name: "Emoji" });
  const search = dialog.getByRole("searchbox").or(dialog.getByRole("textbox"));
  await expect(search).toBeFocused();
  await expect(dialog.getByRole("gridcell").first()).toBeVisible();
  expect(await faultsOf(page, "composer-emoji")).toEqual([]);
  await page.keyboard.type("party popper");
  await expect(dialog.getByRole("gridcell")).toHaveCount(1);
  expect(await faultsOf(page, "composer-emoji-found")).toEqual([]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(field(page)).toHaveValue("well done🎉!");
  await expect(field(page)).toBeFocused();

  await page.getByRole("button", { name: "Emoji", exact: true }).click();
  await expect(dialog.getByRole("group", { name: "Recent" }).getByRole("button", { name: "🎉" })).toBeVisible();
  await page.keyboard.type("zzzz");
  await expect(dialog).toContainText("No emoji found");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("button", { name: "Emoji", exact: true })).toBeFocused();
});

test("the demo agent's commands can be tried from the menu", async ({ agents, person }) => {
  const alice = await person("Alice");
  const demo = await agents.demo("Demo", 0);
  const page = await alice.signIn();
  const { conversation_id: id } = await alice.rest.createConversation(demo.id);
  await page.goto(`/c/${id}`);
  await field(page).fill("/ec");
  await page.keyboard.press("Enter");
  await page.keyboard.type("it answers");
  await page.keyboard.press("Enter");
  await expect(newest(page)).toContainText("it answers");
});
