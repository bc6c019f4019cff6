/** What a person sets for themselves: looks, language, password, devices, taking everything along, leaving. */

import { readFile } from "node:fs/promises";
import { faultsOf, tooWide } from "./looking.ts";
import { expect, PASSWORD, test, type Page } from "./harness.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

const button = (page: Page, label: string) => page.getByRole("button", { name: label, exact: true });
const field = (page: Page, label: string) => page.getByRole("textbox", { name: label, exact: true });
const colours = (page: Page) =>
  page.evaluate(() => [getComputedStyle(document.documentElement).colorScheme, getComputedStyle(document.body).backgroundColor]);
/** Of IndexedDB; nothing else here holds more than a name. */
const kept = (page: Page) => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

test("a chosen colour scheme counts at once, after a reload, and from the first thing that is drawn", async ({ person }) => {
  const alice = await person("Alice", { colorScheme: "light" });
  const page = await alice.signIn();
  await page.goto("/settings/appearance");
  const dark = page.getByRole("radio", { name: "Dark" });
  await dark.focus();
  await page.keyboard.press("Space");
  await expect(dark).toBeChecked();
  const [scheme, background] = await colours(page);
  expect(scheme).toBe("dark");
  // Before any of the program runs: what is drawn then is dark already.
  await page.addInitScript(() => {
    addEventListener("DOMContentLoaded", () => {
      (globalThis as { first?: string }).first = getComputedStyle(document.documentElement).colorScheme;
    });
  });
  await page.reload();
  await expect(dark).toBeChecked();
  expect(await page.evaluate(() => (globalThis as { first?: string }).first)).toBe("dark");
  expect(await colours(page)).toEqual(["dark", background]);
  await page.getByRole("radio", { name: "System" }).focus();
  await page.keyboard.press("Space");
  expect((await colours(page))[0]).toBe("light dark");
});

test("a chosen language counts at once and after a reload, for times and screen readers as well", async ({ person }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  await page.goto("/settings/appearance");
  await page.getByRole("combobox", { name: "Language" }).selectOption("Deutsch");
  await expect(page.getByRole("heading", { level: 1, name: "Einstellungen" })).toBeVisible();
  await page.goto("/settings/account");
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  await expect(page.getByText(/^\d+\. \p{L}+ 20\d\d um \d\d:\d\d$/u)).toBeVisible();
});

test("another password is taken after the old one, and signs out everything else", async ({ person, allow }) => {
  allow(/401|403/);
  const alice = await person("Alice");
  const page = await alice.signIn();
  const phone = await alice.device({ viewport: { width: 390, height: 844 } });
  await page.goto("/settings/account");
  await field(page, "Current password").fill("no idea");
  await field(page, "New password").fill("battery staple correct horse");
  await button(page, "Change password").click();
  await expect(field(page, "Current password")).toBeFocused();
  await expect(field(page, "Current password")).toHaveAccessibleDescription("This is not your password.");
  await field(page, "Current password").fill(PASSWORD);
  await field(page, "Current password").press("Enter");
  await expect(page.getByText("Your password is changed")).toBeVisible();
  await expect(field(page, "New password")).toHaveValue("");

  await expect(phone.getByText("Your session has ended")).toBeVisible();
  await field(phone, "Username").fill(alice.username);
  await field(phone, "Password").fill("battery staple correct horse");
  await field(phone, "Password").press("Enter");
  await expect(phone.getByRole("navigation", { name: "Chats" })).toBeVisible();
});

test("everything can be taken along as one archive", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await coder.send(id, "A word to remember");
  const page = await alice.signIn();
  await page.goto("/settings/account");
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download archive").click()]);
  expect(download.suggestedFilename()).toMatch(new RegExp(`^amtrio-${alice.username}-\\d{4}-\\d\\d-\\d\\d\\.zip$`));
  const archive = await readFile(await download.path());
  expect(archive.subarray(0, 4).toString("latin1")).toBe("PK\u0003\u0004");
  await expect(page.getByRole("status").filter({ hasText: "are in your downloads" })).toBeVisible();
});

test("the devices are listed, this one is marked, and another one is signed out from here", async ({ person, allow }) => {
  allow(/401/);
  const alice = await person("Alice");
  // The login by REST that every person of a test begins with.
  await alice.rest.logout();
  const page = await alice.signIn();
  const phone = await alice.device({
    userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
  });
  await page.goto("/settings/sessions");
  const list = page.getByRole("list", { name: "Sessions and devices" });
  await expect(list.getByRole("listitem")).toHaveCount(2);
  await expect(list.getByRole("listitem").filter({ hasText: "This device" })).toHaveCount(1);
  await list.getByRole("button", { name: "End: Safari on iPhone" }).click();
  const dialog = page.getByRole("dialog", { name: "End session" });
  expect(await faultsOf(page, "settings-end-session")).toEqual([]);
  await dialog.getByRole("button", { name: "End session" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(list.getByRole("listitem")).toHaveCount(1);
  await expect(button(page, "End all others")).toHaveCount(0);
  await expect(phone.getByText("Your session has ended")).toBeVisible();
});

test("an account is deleted after its name and its password, with all that is on the device", async ({ person, agents, allow }) => {
  allow(/401|403/);
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  await alice.rest.createConversation(coder.id);
  const page = await alice.signIn();
  await page.goto("/settings/account");
  await button(page, "Delete account …").click();
  const dialog = page.getByRole("dialog", { name: "Delete account" });
  await dialog.getByRole("button", { name: "Delete account" }).click();
  await expect(dialog.getByRole("textbox", { name: /^To be sure/ })).toBeFocused();
  expect(await faultsOf(page, "settings-delete")).toEqual([]);
  await dialog.getByRole("textbox", { name: /^To be sure/ }).fill(alice.username);
  await dialog.getByRole("textbox", { name: "Password" }).fill("a guess");
  await dialog.getByRole("button", { name: "Delete account" }).click();
  await expect(dialog.getByRole("textbox", { name: "Password" })).toHaveAccessibleDescription("The password is wrong.");
  await dialog.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await dialog.getByRole("button", { name: "Delete account" }).click();

  await expect(button(page, "Sign in")).toBeVisible();
  await expect(page).toHaveURL(/\/$/);
  await expect(page.getByText("Your session has ended")).toHaveCount(0);
  await expect.poll(() => kept(page)).toEqual([]);
  await field(page, "Username").fill(alice.username);
  await field(page, "Password").fill(PASSWORD);
  await field(page, "Password").press("Enter");
  await expect(page.getByText("The name or the password is wrong.")).toBeVisible();
});

test("signing out asks while messages wait, and leaves the address of the first page and nothing on the device", async ({ person, agents, allow }) => {
  allow(/401/);
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  // A worker may be ready before this page is its own.
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await expect(field(page, "Message Coder")).toBeVisible();
  await alice.context.setOffline(true);
  await field(page, "Message Coder").fill("Never to be sent");
  await field(page, "Message Coder").press("Enter");
  await expect(page.getByLabel("Waiting for a connection")).toHaveCount(1);
  await page.getByRole("link", { name: "Settings" }).click();
  await button(page, "Sign out").click();
  const dialog = page.getByRole("dialog", { name: "Sign out" });
  await expect(dialog).toContainText("One message has not been sent yet. It will be lost.");
  expect(await faultsOf(page, "settings-sign-out")).toEqual([]);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(button(page, "Sign out")).toBeFocused();
  await button(page, "Sign out").click();
  await dialog.getByRole("button", { name: "Sign out anyway" }).click();
  await expect(button(page, "Sign in")).toBeVisible();
  await expect(page).toHaveURL(/\/$/);
  await expect.poll(() => kept(page)).toEqual([]);
  expect(coder.received).toEqual([]);
});

test("the same question stands behind the command, also with nothing to lose, and keys that nobody used go as well", async ({ person }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  await page.goto("/settings/encryption");
  await expect(page.getByText("This browser", { exact: true })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to anything" }).fill("sign out");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Sign out" });
  await expect(dialog).toContainText("On the server everything stays.");
  await dialog.getByRole("button", { name: "Sign out" }).click();
  await expect(button(page, "Sign in")).toBeVisible();
  await expect(page).toHaveURL(/\/$/);
  await expect.poll(() => kept(page)).toEqual([]);
});

test("keys of encrypted chats are warned of wherever one is, also after a reload", async ({ person, agents, allow }) => {
  // Whether somebody has published keys is found out by asking.
  allow(/keys\/bundles/);
  const alice = await person("Alice");
  const demo = await agents.demo();
  const { conversation_id: id } = await alice.rest.createConversation(demo.id);
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  await page.getByRole("button", { name: "Options of this chat" }).click();
  await page.getByRole("menuitem", { name: /^Encryption/ }).click();
  await page.getByRole("dialog").getByRole("switch").click();
  await expect(page.getByRole("dialog").getByRole("switch")).toBeChecked();
  await page.goto("/settings/about");
  await button(page, "Sign out").click();
  await expect(page.getByRole("dialog", { name: "Sign out" })).toContainText("The keys of this device go as well");
});

const SECTIONS = ["account", "appearance", "notifications", "sessions", "encryption", "about"];

async function openSection(page: Page, section: string): Promise<void> {
  await page.goto(`/settings/${section}`);
  await expect(page.getByRole("main").getByRole("heading", { level: 2 }).first()).toBeVisible();
  await expect(page.getByRole("main").getByText(/^(Loading|Wird geladen)$/)).toHaveCount(0);
}

test("every section is sound, wide and narrow, light and dark", async ({ person }) => {
  test.slow();
  const page = await (await person("Alice")).signIn();
  for (const section of SECTIONS) {
    await openSection(page, section);
    expect.soft(await faultsOf(page, `settings-${section}`), section).toEqual([]);
  }
});

test("German has room in every section", async ({ person }) => {
  const page = await (await person("Alice", { locale: "de-DE", viewport: { width: 320, height: 720 } })).signIn();
  for (const section of SECTIONS) {
    await openSection(page, section);
    expect.soft(await tooWide(page), section).toEqual([]);
  }
});

test("on a phone the list comes first, each section has a way back, and focus goes along", async ({ person }) => {
  const alice = await person("Alice", { viewport: { width: 320, height: 640 }, hasTouch: true });
  const page = await alice.signIn();
  await page.getByRole("link", { name: "Settings" }).tap();
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
  await page.getByRole("link", { name: "Appearance" }).tap();
  await expect(page.getByRole("heading", { level: 2, name: "Appearance" })).toBeFocused();
  await expect(page.getByRole("link", { name: "About" })).toBeHidden();
  await page.getByRole("link", { name: "Back to: Settings" }).tap();
  await expect(page.getByRole("link", { name: "About" })).toBeVisible();
  await page.getByRole("link", { name: "Back to the chats" }).tap();
  await expect(page).toHaveURL(/\/$/);
});
