/** Everything without a mouse: the palette, the shortcuts, the way past the list; and what is said of the connection. */

import { axe, expect, historySettled, test, type Page } from "./harness.ts";
import { begun, expectOrder, field, log, row, write } from "./shell-scene.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

const palette = (page: Page) => page.getByRole("combobox", { name: "Go to anything" });
const chosen = (page: Page) => page.getByRole("option", { selected: true });
const title = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

test("three letters and Enter in the palette open a chat; Escape gives the focus back", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  await begun(alice, await agents.scripted("Anna"));
  const id = await begun(alice, await agents.scripted("Berta"));
  await row(page, "Anna").click();
  await field(page).focus();

  await page.keyboard.press("ControlOrMeta+k");
  await expect(palette(page)).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(palette(page)).toBeHidden();
  await expect(field(page)).toBeFocused();

  await page.keyboard.press("ControlOrMeta+k");
  await page.keyboard.type("ber");
  await expect(chosen(page)).toHaveText(/Berta.*Chat/);
  await page.keyboard.press("ArrowDown");
  // The agent would lead to the same chat, which bears its name.
  await expect(chosen(page)).not.toHaveText(/Berta/);
  await expect(palette(page)).toHaveAttribute("aria-activedescendant", (await chosen(page).getAttribute("id"))!);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(title(page, "Berta")).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`));
});

test("the palette does what it offers: colours, marking as read, searching, signing out after a question", async ({ person, agents }) => {
  const alice = await person("Alice", { colorScheme: "light" });
  const page = await alice.signIn();
  await begun(alice, await agents.scripted("Anna"));
  await expect(row(page, "Anna")).toContainText("1 unread");
  const run = async (text: string): Promise<void> => {
    await page.keyboard.press("ControlOrMeta+k");
    await expect(palette(page)).toBeFocused();
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
    await expect(palette(page)).toBeHidden();
  };

  await run("theme: dark");
  await expect(page.locator("html")).toHaveCSS("color-scheme", "dark");
  await run("mark all");
  await expect(row(page, "Anna")).not.toContainText("unread");
  await run("zebra crossing");
  await expect(page).toHaveURL(/\/find\?q=zebra%20crossing$/);
  await expect(page.getByRole("searchbox", { name: "Search" })).toHaveValue("zebra crossing");
  await run("sign out");
  await page.getByRole("dialog", { name: "Sign out" }).getByRole("button", { name: "Cancel" }).click();
  await historySettled(page);
  await page.reload();
  await expect(page.locator("html")).toHaveCSS("color-scheme", "dark");
});

test("Alt and arrows go from chat to chat, with Shift to the next unread one, also while one writes", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  for (const name of ["Anna", "Berta", "Clara"]) await begun(alice, await agents.scripted(name));
  await expectOrder(page, ["Clara", "Berta", "Anna"]);

  await page.keyboard.press("Alt+ArrowDown");
  await expect(title(page, "Clara")).toBeVisible();
  await field(page).focus();
  await page.keyboard.press("Alt+ArrowDown");
  await expect(title(page, "Berta")).toBeVisible();
  await expect(row(page, "Berta")).not.toContainText("unread");
  await page.keyboard.press("Alt+ArrowUp");
  await expect(title(page, "Clara")).toBeVisible();
  await expect(row(page, "Clara")).not.toContainText("unread");
  await page.keyboard.press("Alt+Shift+ArrowDown");
  await expect(title(page, "Anna")).toBeVisible();
  await page.keyboard.press("Alt+ArrowDown");
  await expect(title(page, "Clara")).toBeVisible();
});

test("? lists every shortcut, each of which works, and is a letter where one writes", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  const id = await begun(alice, await agents.scripted("Anna"));
  await row(page, "Anna").click();
  await expect(log(page)).toContainText("Hello");
  const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });

  await field(page).fill("");
  await page.keyboard.type("?");
  await expect(field(page)).toHaveValue("?");
  await expect(dialog).toBeHidden();
  await field(page).fill("");
  await row(page, "Anna").focus();
  await page.keyboard.type("?");
  for (const group of ["Getting around", "While writing", "In a chat"]) {
    await expect(dialog.getByRole("heading", { name: group })).toBeVisible();
  }
  await expect(dialog.getByRole("term")).toHaveCount(17);
  await page.keyboard.press("Escape");
  await expect(row(page, "Anna")).toBeFocused();

  await page.keyboard.press("ControlOrMeta+,");
  await expect(title(page, "Settings")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`));
  await row(page, "Anna").focus();
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox", { name: "Search" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`));
  await page.keyboard.press("ControlOrMeta+Shift+f");
  await expect(page.getByRole("searchbox", { name: "Search" })).toBeFocused();
  await page.keyboard.press("Alt+n");
  await expect(page.getByRole("dialog", { name: "New chat" })).toBeVisible();
});

test("the first Tab leads past the list; its edge moves by the arrows, and stays where it was put", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  await begun(alice, await agents.scripted("Anna"));
  await expect(row(page, "Anna")).toBeVisible();
  await page.reload();
  await expect(row(page, "Anna")).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the chat" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();

  const edge = page.getByRole("separator", { name: "Width of the list" });
  await edge.focus();
  for (let times = 0; times < 3; times += 1) await page.keyboard.press("ArrowRight");
  await expect(edge).toHaveAttribute("aria-valuenow", "368");
  await page.reload();
  await expect(edge).toHaveAttribute("aria-valuenow", "368");
  expect((await page.getByRole("navigation", { name: "Chats" }).boundingBox())!.width).toBe(368);
});

test("without a network one line says so and what waits, until it is back", async ({ person, agents }) => {
  const alice = await person("Alice");
  const agent = await agents.scripted("Anna");
  const page = await alice.signIn();
  await begun(alice, agent);
  await row(page, "Anna").click();
  await expect(log(page)).toContainText("Hello");
  const banner = page.getByRole("region", { name: "Connection" });
  await expect(banner).toBeHidden();

  await alice.context.setOffline(true);
  await expect(banner.getByRole("status")).toHaveText("No connection. Messages are sent when it is back.");
  await write(page, "later, then");
  await expect(banner).toContainText("1 message is waiting");
  await expect(row(page, "Anna")).toContainText("Waiting to be sent: later, then");
  expect(await axe(page)).toEqual([]);

  await alice.context.setOffline(false);
  await expect(banner.getByRole("status")).toHaveText("Connected again");
  expect((await agent.nextMessage()).content).toBe("later, then");
  await expect(banner).toBeHidden();
});

test.describe("a server of its own", () => {
  test.use({ ownServer: true });

  test("that is away is said to be, with when it is tried next, and is tried at once when asked", async ({ person, server }) => {
    const alice = await person("Alice");
    const page = await alice.signIn();
    await expect(page.getByText("Connected", { exact: true })).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await server.stop();
    const banner = page.getByRole("region", { name: "Connection" });
    await expect(banner.getByRole("status")).toHaveText("The server cannot be reached. Messages are sent when it is back.");
    await expect(page.getByText("No connection", { exact: true })).toBeVisible();
    await expect(banner).toContainText(/Next try in ([2-9]|\d\d) seconds/);
    const tried = page.waitForEvent("websocket", { timeout: 1000 });
    await banner.getByRole("button", { name: "Try now" }).click();
    await tried;
    await server.start();
    // The next try would be some seconds away.
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await expect(banner.getByRole("status")).toHaveText("Connected again");
    await expect(banner).toBeHidden();
  });
});
