/** Administration in the browser: people, agents, invitations, who may register, connections, the record. */

import { faultsOf, tooWide } from "./looking.ts";
import { expect, historySettled, PASSWORD, signIn, test, type Page, type Person } from "./harness.ts";
import { runInPython } from "./running.ts";

const button = (page: Page, label: string) => page.getByRole("button", { name: label, exact: true });
const row = (page: Page, name: string | RegExp) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });

/** Somebody who administers the server, in front of a section. */
async function administrator(
  { person, admin }: { person: (name: string, options?: object) => Promise<Person>; admin: { promote(userId: string): Promise<void> } },
  section: string,
  options: object = {},
): Promise<{ ada: Person; page: Page }> {
  const ada = await person("Ada", options);
  await admin.promote(ada.userId);
  const page = await ada.signIn();
  await page.goto(`/manage/${section}`);
  return { ada, page };
}

async function confirm(page: Page, title: string, action: string, typed?: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name: title });
  if (typed !== undefined) await dialog.getByRole("textbox").fill(typed);
  await dialog.getByRole("button", { name: action, exact: true }).click();
  await expect(dialog).toHaveCount(0);
}

test("others than administrators are told that it is not for them, and find no way there", async ({ person }) => {
  const page = await (await person("Alice")).signIn();
  await expect(page.getByRole("link", { name: "Administration" })).toHaveCount(0);
  for (const path of ["/manage", "/manage/agents"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { name: "Only for administrators" })).toBeVisible();
  }
  expect(await faultsOf(page, "manage-no-entry")).toEqual([]);
  await page.getByRole("link", { name: "Back to the chats" }).click();
  await expect(page).toHaveURL(/\/$/);
});

test("a person is found, gets the right to administer and another tier, and loses it again", async ({ person, admin }) => {
  const bob = await person("Bob");
  const bobs = await bob.signIn();
  const { page } = await administrator({ person, admin }, "users");
  await page.getByRole("searchbox", { name: "Search" }).fill(bob.username);
  await expect(page.getByRole("rowheader")).toHaveCount(1);
  await page.getByRole("button", { name: bob.username }).click();
  const dialog = page.getByRole("dialog", { name: bob.username });
  await dialog.getByRole("combobox", { name: "Tier" }).selectOption("Pro");
  await expect(dialog.getByText(/^300, \d+ left now$/)).toBeVisible();
  await dialog.getByRole("switch", { name: "Administrator" }).click();
  await confirm(page, "Make administrator", "Make administrator");
  await expect(dialog.getByRole("switch", { name: "Administrator" })).toBeChecked();
  expect(await faultsOf(page, "manage-user")).toEqual([]);
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(row(page, bob.username)).toContainText("Pro");
  await expect(row(page, bob.username)).toContainText("Administrator");
  await bobs.reload();
  await expect(bobs.getByRole("link", { name: "Administration" })).toBeVisible();
  await page.getByRole("button", { name: bob.username }).click();
  await dialog.getByRole("switch", { name: "Administrator" }).click();
  await expect(dialog.getByRole("switch", { name: "Administrator" })).not.toBeChecked();
});

test("a person who forgot the password gets one that works, and one who goes is gone", async ({ person, admin, allow }) => {
  allow(/401/);
  const bob = await person("Bob");
  const bobs = await bob.signIn();
  const { page } = await administrator({ person, admin }, "users");
  await page.getByRole("searchbox", { name: "Search" }).fill(bob.username);
  await page.getByRole("button", { name: bob.username }).click();
  const dialog = page.getByRole("dialog", { name: bob.username });
  await dialog.getByRole("button", { name: /^Reset password/ }).click();
  await confirm(page, "Reset password", "Reset password");
  const password = await dialog.getByRole("group", { name: "Password" }).innerText();
  await expect(dialog.getByText("Nowhere.")).toBeVisible();
  await expect(bobs.getByText("Your session has ended")).toBeVisible();
  await signIn(bobs, { username: bob.username, password });

  await dialog.getByRole("button", { name: /^Delete account/ }).click();
  const question = page.getByRole("dialog", { name: "Delete account" });
  await question.getByRole("button", { name: "Delete account" }).click();
  await expect(question.getByRole("textbox")).toHaveAccessibleDescription(`This is not ${bob.username}.`);
  await confirm(page, "Delete account", "Delete account", bob.username);
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("Nobody found.")).toBeVisible();
  await expect(bobs.getByText("Your session has ended")).toBeVisible();
});

test("an agent is made, connected as shown, given a new credential, shut out, and deleted", async ({ person, admin, server }) => {
  const { page } = await administrator({ person, admin }, "agents");
  const id = `echo-${crypto.randomUUID().slice(0, 6)}`;
  await button(page, "New agent").click();
  const making = page.getByRole("dialog", { name: "New agent" });
  await making.getByRole("textbox", { name: "What people see" }).fill("Echo");
  await making.getByRole("textbox", { name: "Id", exact: true }).fill(id);
  await button(page, "Make the agent").click();
  await making.getByRole("radio", { name: "Python" }).check();
  const first = await runInPython(await making.getByRole("group", { name: "agent.py" }).innerText(), server);
  await expect(making.getByRole("status").filter({ hasText: "Echo is connected!" })).toBeVisible({ timeout: 20_000 });
  await making.getByRole("button", { name: "Close" }).click();
  await historySettled(page);
  await page.reload();
  const echo = row(page, `Echo ${id}`);
  await expect(echo).toContainText("Online");

  await page.getByRole("button", { name: "Echo" }).click();
  const dialog = page.getByRole("dialog", { name: "Echo" });
  await dialog.getByRole("textbox", { name: "What it is good at" }).fill("Saying it again");
  await dialog.getByRole("button", { name: "Save" }).first().click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await dialog.getByRole("button", { name: /^Renew credential/ }).click();
  await confirm(page, "Renew credential", "Renew credential");
  await expect(dialog.getByRole("status").filter({ hasText: "Waiting for Echo" })).toBeVisible();
  expect(await faultsOf(page, "manage-agent")).toEqual([]);
  first.end();
  await dialog.getByRole("radio", { name: "Python" }).check();
  const second = await runInPython(await dialog.getByRole("group", { name: "agent.py" }).innerText(), server);
  await expect(dialog.getByRole("status").filter({ hasText: "Echo is connected!" })).toBeVisible({ timeout: 20_000 });

  await dialog.getByRole("button", { name: /^Revoke credential/ }).click();
  await confirm(page, "Revoke credential", "Revoke credential");
  await expect(dialog.getByText("Revoked", { exact: true })).toBeVisible();
  await expect(dialog.getByRole("button", { name: /^Revoke credential/ })).toHaveCount(0);
  expect(await admin.isOnline(id)).toBe(false);
  second.end();
  await dialog.getByRole("button", { name: /^Delete agent/ }).click();
  await confirm(page, "Delete agent", "Delete agent", id);
  await expect(dialog).toHaveCount(0);
  await expect(echo).toHaveCount(0);
});

test("an agent is hidden from all but its owner", async ({ person, agents, admin }) => {
  const bob = await person("Bob");
  const secret = await agents.scripted("Secret");
  const carol = await (await person("Carol")).signIn();
  const bobs = await bob.signIn();
  await expect(carol.getByRole("button", { name: "Say hello to Secret" })).toBeVisible();
  const { page } = await administrator({ person, admin }, "agents");
  await row(page, `Secret ${secret.id}`).getByRole("button").click();
  const dialog = page.getByRole("dialog", { name: "Secret" });
  await dialog.getByRole("searchbox", { name: "Owner" }).fill(bob.username);
  await dialog.getByRole("button", { name: bob.username, exact: true }).click();
  await dialog.getByRole("combobox", { name: "Visible to" }).selectOption("Owner alone");
  await dialog.getByRole("button", { name: "Save" }).last().click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(row(page, `Secret ${secret.id}`)).toContainText(bob.username);
  await carol.reload();
  await expect(carol.getByText("No agent is here yet.")).toBeVisible();
  await bobs.reload();
  await expect(bobs.getByRole("button", { name: "Say hello to Secret" })).toBeVisible();
});

test("an invitation is made, shown once, used, and another one is taken back", async ({ person, admin, browserOf }) => {
  const { page } = await administrator({ person, admin }, "invitations");
  const note = `Grandmother ${crypto.randomUUID().slice(0, 6)}`;
  const made: string[] = [];
  for (const uses of ["1", "2"]) {
    await button(page, "Invite").click();
    const dialog = page.getByRole("dialog", { name: "Invite" });
    await dialog.getByRole("textbox", { name: "For whom" }).fill(`${note} ${uses}`);
    await dialog.getByRole("textbox", { name: "How many accounts" }).fill("many");
    await button(page, "Make the link").click();
    await expect(dialog.getByRole("textbox", { name: "How many accounts" })).toBeFocused();
    await dialog.getByRole("textbox", { name: "How many accounts" }).fill(uses);
    await button(page, "Make the link").click();
    made.push(await dialog.getByRole("group", { name: "Link" }).innerText());
    if (uses === "1") expect(await faultsOf(page, "manage-invited")).toEqual([]);
    await button(page, "Done").click();
    await expect(row(page, `${note} ${uses}`)).toContainText("Open");
  }
  const guest = await (await browserOf()).newPage();
  // The link has the address of the page, which is that of this browser's own line.
  expect(made[0]).toContain(new URL(page.url()).origin);
  await guest.goto(`/${new URL(made[0]!).hash}`);
  await guest.getByRole("textbox", { name: "Username" }).fill(`guest_${crypto.randomUUID().slice(0, 6)}`);
  await guest.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await button(guest, "Create account").click();
  await expect(guest.getByRole("navigation", { name: "Chats" })).toBeVisible();
  await page.reload();
  await expect(row(page, `${note} 1`)).toContainText("Used");
  await page.getByRole("button", { name: `Take back: ${note} 2` }).click();
  await confirm(page, "Take back", "Take back");
  await expect(row(page, `${note} 2`)).toContainText("Taken back");
  await guest.goto("about:blank");
  const late = await (await browserOf()).newPage();
  await late.goto(`/${new URL(made[1]!).hash}`);
  await expect(late.getByRole("alert")).toContainText("This invitation no longer works");
});

test("who may register is changed for everybody at once, and back", async ({ person, admin, browserOf }) => {
  const { page } = await administrator({ person, admin }, "server");
  try {
    await page.getByRole("radio", { name: "Nobody" }).check();
    await button(page, "Save").click();
    await expect(page.getByText("Saved.")).toBeVisible();
    await expect(page.getByText("The server's configuration says: Everybody.")).toBeVisible();
    const stranger = await (await browserOf()).newPage();
    await stranger.goto("/");
    await expect(stranger.getByText("New accounts are made by whoever runs this server.")).toBeVisible();
    await button(page, "Go back to that").click();
    await expect(page.getByRole("radio", { name: "Everybody" })).toBeChecked();
    await stranger.reload();
    await expect(button(stranger, "Create an account")).toBeVisible();
  } finally {
    await admin.allow(null);
  }
});

test("who is connected is listed, and who did what is recorded", async ({ person, agents, admin }) => {
  await agents.scripted("Coder");
  const { ada, page } = await administrator({ person, admin }, "connections");
  await expect(page.getByRole("rowheader", { name: "Coder" })).toBeVisible();
  await expect(row(page, ada.username)).toContainText("Person");
  await page.goto("/manage/server");
  await page.getByRole("radio", { name: "The invited" }).check();
  await button(page, "Save").click();
  await button(page, "Go back to that").click();
  await page.getByRole("link", { name: "Audit log" }).click();
  await page.getByRole("combobox", { name: "What" }).selectOption("Setting changed");
  const record = page.getByRole("table", { name: "Audit log" });
  await expect(record.getByRole("rowheader", { name: "Setting changed" }).first()).toBeVisible();
  await expect(record.getByRole("row").filter({ hasText: ada.username }).first()).toContainText("registration");
  await expect(record.getByRole("rowheader", { name: "Agent made" })).toHaveCount(0);
});

const SECTIONS = ["users", "agents", "invitations", "server", "connections", "audit"];

async function openSection(page: Page, section: string): Promise<void> {
  await page.goto(`/manage/${section}`);
  await expect(page.getByRole("main").getByRole("heading", { level: 2 }).first()).toBeVisible();
  await expect(page.getByRole("main").getByText(/^(Loading|Wird geladen)$/)).toHaveCount(0);
}

/** Names as long as they may be, and of no place to break. */
async function longNames({ agents, admin }: { agents: { registered(name: string): Promise<unknown> }; admin: { call(method: string, path: string, body: object): Promise<unknown> } }): Promise<void> {
  await agents.registered("Donaudampfschifffahrtsgesellschaftskapitaen");
  await admin.call("POST", "/admin/invitations", { note: "Für die Grundstücksverkehrsgenehmigungszuständigkeitsübertragungsverordnung" });
}

test("every section is sound, wide and narrow, light and dark", async ({ person, agents, admin }) => {
  test.slow();
  await longNames({ agents, admin });
  const { page } = await administrator({ person, admin }, "users");
  for (const section of SECTIONS) {
    await openSection(page, section);
    expect.soft(await faultsOf(page, `manage-${section}`), section).toEqual([]);
  }
});

test("German has room in every section", async ({ person, agents, admin }) => {
  await longNames({ agents, admin });
  const { page } = await administrator({ person, admin }, "users", { locale: "de-DE", viewport: { width: 320, height: 720 } });
  for (const section of SECTIONS) {
    await openSection(page, section);
    expect.soft(await tooWide(page), section).toEqual([]);
    await page.screenshot({ path: `test-results/screens/manage-${section}-de-320.png` });
  }
});
