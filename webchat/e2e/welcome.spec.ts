/** Coming in: signing in, making an account, following an invitation, the first administrator. */

import { faultsOf } from "./looking.ts";
import { expect, PASSWORD, test, type Page } from "./harness.ts";
import { runInShell } from "./running.ts";

const name = (page: Page) => page.getByRole("textbox", { name: "Username" });
const password = (page: Page) => page.getByRole("textbox", { name: "Password", exact: true });
const button = (page: Page, label: string) => page.getByRole("button", { name: label, exact: true });
const chats = (page: Page) => page.getByRole("navigation", { name: "Chats" });
const freshName = (begin: string) => `${begin}_${crypto.randomUUID().slice(0, 6)}`;

async function enter(page: Page, username: string, secret: string, label: string): Promise<void> {
  await name(page).fill(username);
  await password(page).fill(secret);
  await button(page, label).click();
}

test("what is missing or wrong is told at its field, which has the focus; then the keyboard alone signs in", async ({ person, allow }) => {
  allow(/401/);
  const alice = await person("Alice");
  const { page } = alice;
  await page.goto("/settings/about");
  await button(page, "Sign in").click();
  await expect(name(page)).toBeFocused();
  await expect(name(page)).toHaveAccessibleDescription("Your name is missing.");
  await enter(page, alice.username, "not my password", "Sign in");
  await expect(password(page)).toBeFocused();
  await expect(password(page)).toHaveAccessibleDescription("The name or the password is wrong.");
  expect(await faultsOf(page, "welcome-wrong")).toEqual([]);

  await page.getByRole("button", { name: "Show password" }).click();
  await expect(password(page)).toHaveValue("not my password");
  await password(page).fill(PASSWORD);
  await password(page).press("Enter");
  // Where the link led.
  await expect(page.getByRole("heading", { name: "About", exact: true })).toBeVisible();
  await expect(page).toHaveURL(/\/settings\/about$/);
});

test("whoever signs in again where the session ended is back in their conversation", async ({ person, agents, allow }) => {
  allow(/401/);
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await coder.send(id, "Hello there");
  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  const hello = page.getByRole("log").getByRole("article").filter({ hasText: "Hello there" });
  await expect(hello).toBeVisible();
  for (const session of await alice.rest.sessions()) if (!session.current) await alice.rest.endSession(session.session_id);
  await expect(page.getByText("Your session has ended")).toBeVisible();
  await enter(page, alice.username, PASSWORD, "Sign in");
  await expect(hello).toBeVisible();
});

test("while the server is away nobody is told that their password is wrong, and all goes on when it is back", async ({ person }) => {
  const alice = await person("Alice");
  const { page } = alice;
  await page.goto("/");
  await expect(button(page, "Create an account")).toBeVisible();
  await alice.context.setOffline(true);
  await enter(page, alice.username, PASSWORD, "Sign in");
  await expect(page.getByRole("alert").filter({ hasText: "The server does not answer" }).first()).toBeVisible();
  await expect(password(page)).toHaveValue(PASSWORD);
  await alice.context.setOffline(false);
  await button(page, "Sign in").click();
  await expect(chats(page)).toBeVisible();
});

test.describe("a server that counts", () => {
  // One for the look at what may be done here, one for the first guess.
  test.use({ ownServer: { env: { AUTH_RATE_LIMIT: "2" }, hasAdministrator: false } });

  test("says after too many tries how long to wait, counts down, and offers it again", async ({ page, allow }) => {
    allow(/401|429/);
    await page.clock.install();
    await page.goto("/");
    await button(page, "I have an account").click();
    await enter(page, "alice", "my first guess", "Sign in");
    await expect(password(page)).toHaveAccessibleDescription("The name or the password is wrong.");
    await enter(page, "alice", "my second guess", "Sign in");
    await expect(page.getByRole("alert")).toContainText(/That was too often\. Try again in \d+ seconds?\./);
    await expect(button(page, "Sign in")).toHaveAttribute("aria-disabled", "true");
    await expect(button(page, "Sign in")).toContainText(/\d+ s/);
    await page.clock.runFor(61_000);
    await expect(button(page, "Sign in")).not.toHaveAttribute("aria-disabled");
  });
});

test("an account is made after a free name and a long password, and begins at the beginning", async ({ person, browserOf, allow }) => {
  allow(/409/);
  const taken = await person("Taken");
  const page = await (await browserOf()).newPage();
  await page.goto("/");
  await button(page, "Create an account").click();
  await expect(page.getByRole("heading", { name: "A new account" })).toBeFocused();
  await enter(page, "Zoë", "short", "Create account");
  await expect(name(page)).toBeFocused();
  await expect(name(page)).toHaveAccessibleDescription(/^3 to 50 letters/);
  await expect(password(page)).toHaveAccessibleDescription("The password needs at least 8 characters.");
  await enter(page, taken.username, PASSWORD, "Create account");
  await expect(name(page)).toHaveAccessibleDescription(`${taken.username} is taken. Choose another name.`);
  await expect(name(page)).toBeFocused();
  expect(await faultsOf(page, "welcome-register")).toEqual([]);

  const fresh = freshName("zoe");
  await name(page).fill(fresh);
  await name(page).press("Enter");
  await expect(page.getByRole("heading", { name: `Hello, ${fresh}!` })).toBeVisible();
  await expect(page).toHaveURL(/\/$/);
});

test("an invitation lets one person in, is nowhere in the address, and then no longer works", async ({ admin, browserOf }) => {
  await admin.allow("invitation");
  try {
    const token = await admin.invite({ uses: 1 });
    const page = await (await browserOf()).newPage();
    await page.goto(`/#/join/${token}`);
    await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
    await expect(page.getByText("You have been invited.")).toBeVisible();
    expect(page.url()).not.toContain("join");
    expect(await faultsOf(page, "welcome-join")).toEqual([]);
    const fresh = freshName("guest");
    await enter(page, fresh, PASSWORD, "Create account");
    await expect(page.getByRole("heading", { name: `Hello, ${fresh}!` })).toBeVisible();
    await expect(page.getByRole("dialog")).toHaveCount(0);

    const late = await (await browserOf()).newPage();
    await late.goto("/");
    await expect(button(late, "Create an account")).toHaveCount(0);
    await button(late, "I have an invitation").click();
    const link = late.getByRole("textbox", { name: "Invitation" });
    await link.fill("nothing of the kind");
    await button(late, "Continue").click();
    await expect(link).toBeFocused();
    await link.fill(`https://chat.example.org/#/join/${token}`);
    await button(late, "Continue").click();
    await expect(late.getByRole("alert")).toContainText("This invitation no longer works");
    expect(await faultsOf(late, "welcome-invitation-ended")).toEqual([]);
    await link.fill(await admin.invite());
    await button(late, "Continue").click();
    await enter(late, freshName("late"), PASSWORD, "Create account");
    await expect(chats(late)).toBeVisible();
  } finally {
    await admin.allow(null);
  }
});

test("whoever opens an invitation while signed in is told as whom, and may sign out and go on with it", async ({ person, admin }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  await page.goto("/settings/about");
  const token = await admin.invite();
  // As a link that is followed in the same tab.
  await page.evaluate((hash) => void (location.hash = hash), `#/join/${token}`);
  const dialog = page.getByRole("dialog", { name: `You are signed in as ${alice.username}` });
  await expect(dialog).toBeVisible();
  expect(page.url()).not.toContain("join");
  expect(await faultsOf(page, "welcome-already-in")).toEqual([]);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page).toHaveURL(/\/settings\/about$/);

  await page.goto("about:blank");
  await page.goto(`/#/join/${token}`);
  await dialog.getByRole("button", { name: "Sign out and go on" }).click();
  await expect(page.getByText("You have been invited.")).toBeVisible();
  await expect(page).toHaveURL(/\/$/);
  const fresh = freshName("second");
  await enter(page, fresh, PASSWORD, "Create account");
  await expect(page.getByRole("heading", { name: `Hello, ${fresh}!` })).toBeVisible();
  await expect(dialog).toHaveCount(0);
});

test.describe("a server that nobody administers yet", () => {
  test.use({ ownServer: { hasAdministrator: false } });

  test("says how the first administrator comes in, and takes the link that its command line prints", async ({ page, server }) => {
    await page.goto("/");
    await expect(page.getByRole("heading", { name: "Your server is running" })).toBeVisible();
    await expect(page.getByText("amtrio invite --admin")).toBeVisible();
    expect(await faultsOf(page, "welcome-first")).toEqual([]);
    await page.getByRole("textbox", { name: "Invitation" }).fill(server.run("invite", "--admin"));
    await button(page, "Continue").click();
    await enter(page, "ada", PASSWORD, "Create account");
    await expect(page.getByRole("heading", { name: "Hello, ada!" })).toBeVisible();
    await expect(button(page, "Connect an agent")).toBeVisible();
    await chats(page).getByRole("link", { name: "Administration" }).click();
    await expect(page.getByRole("rowheader", { name: "ada Administrator" })).toBeVisible();
  });
});

test("a server that takes nobody says so", async ({ admin, page }) => {
  await admin.allow("closed");
  try {
    await page.goto("/");
    await expect(page.getByText("New accounts are made by whoever runs this server.")).toBeVisible();
    await expect(page.getByRole("navigation", { name: "Other ways in" })).toHaveCount(0);
  } finally {
    await admin.allow(null);
  }
});

test("a session that was ended elsewhere leads back to the same place, and is forgotten by the next sign-out", async ({ person, allow }) => {
  allow(/401/);
  const alice = await person("Alice");
  const page = await alice.signIn();
  await page.goto("/settings/about");
  await expect(page.getByText("Connected")).toBeVisible();
  for (const session of await alice.rest.sessions()) if (!session.current) await alice.rest.endSession(session.session_id);
  await expect(page.getByRole("status").filter({ hasText: "Your session has ended" })).toBeVisible();
  await enter(page, alice.username, PASSWORD, "Sign in");
  await expect(page.getByRole("heading", { name: "About", exact: true })).toBeVisible();

  await button(page, "Sign out").click();
  await expect(button(page, "Sign in")).toBeVisible();
  await expect(page.getByText("Your session has ended")).toHaveCount(0);
  await expect(page).toHaveURL(/\/$/);
});

test("in a browser that keeps nothing nobody gets in, is told why in their language, and leaves no session behind", async ({ person }) => {
  const alice = await person("Alice", { locale: "de-DE" });
  const { page } = alice;
  // As Chromium does it where site data is blocked.
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, "localStorage", {
      get() {
        throw new DOMException("Access is denied for this document.", "SecurityError");
      },
    });
    IDBFactory.prototype.open = (): never => {
      throw new DOMException("The user denied permission to access the database.", "UnknownError");
    };
  });
  await page.goto("/");
  for (let tries = 1; tries <= 2; tries += 1) {
    await page.getByRole("textbox", { name: "Benutzername" }).fill(alice.username);
    await page.getByRole("textbox", { name: "Passwort", exact: true }).fill(PASSWORD);
    await button(page, "Anmelden").click();
    await expect(page.getByRole("alert")).toContainText("Dieser Browser lässt die Seite nichts auf diesem Gerät speichern");
    expect((await alice.rest.sessions()).filter(({ current }) => !current)).toEqual([]);
    if (tries === 1) expect(await faultsOf(page, "welcome-nothing-kept")).toEqual([]);
    await page.reload();
    await expect(button(page, "Anmelden")).toBeVisible();
    await expect(page.getByText("Dieser Browser")).toHaveCount(0);
  }
});

test("the first page speaks the language of the browser, and what is chosen there stays", async ({ browserOf }) => {
  const page = await (await browserOf({ locale: "de-AT", colorScheme: "light" })).newPage();
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Schön, dich zu sehen" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  expect(await faultsOf(page, "welcome-german")).toEqual([]);
  await page.getByRole("radio", { name: "Dunkel" }).check();
  await page.getByRole("combobox", { name: "Sprache" }).selectOption("English");
  await page.reload();
  await expect(page.getByRole("heading", { name: "Good to see you" })).toBeVisible();
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("dark");
});

test("whoever has no conversation yet is led to the agents that are here", async ({ person, agents }) => {
  const demo = await agents.demo("Demo");
  await agents.registered("Donaudampfschifffahrtsgesellschaftskapitaen");
  const alice = await person("Alice");
  const page = await alice.signIn();
  await expect(page.getByRole("heading", { name: `Hello, ${alice.username}!` })).toBeVisible();
  await expect(page.getByText("Agents are connected by whoever runs this server.")).toBeVisible();
  expect(await faultsOf(page, "welcome-onboarding")).toEqual([]);
  await page.getByRole("button", { name: "Say hello to Demo" }).click();
  await page.getByRole("textbox", { name: /^Message / }).fill("Hello there");
  await page.getByRole("textbox", { name: /^Message / }).press("Enter");
  await expect(page.getByRole("log").getByRole("article")).toHaveCount(2);
  expect(demo.id).toMatch(/^demo/);
});

test("on a phone the same stands in place of the list", async ({ person, agents }) => {
  await agents.scripted("Coder");
  const alice = await person("Alice", { viewport: { width: 360, height: 740 }, hasTouch: true });
  const page = await alice.signIn();
  await page.getByRole("button", { name: "Say hello to Coder" }).tap();
  await expect(page.getByRole("textbox", { name: /^Message / })).toBeVisible();
  await expect(page).toHaveURL(/\/c\//);
  await page.goBack();
  await expect(chats(page).getByRole("link", { name: /Coder/ })).toBeVisible();
});

test("an administrator makes an agent, runs the command that the page shows, is told that it is connected, and talks with it", async ({ person, agents, admin, server, allow }) => {
  allow(/409/);
  const ada = await person("Ada", { permissions: ["clipboard-read", "clipboard-write"] });
  await admin.promote(ada.userId);
  const taken = await agents.registered("Taken");
  const page = await ada.signIn();
  await button(page, "Connect an agent").click();
  await button(page, "Make the agent").click();
  const shown = page.getByRole("textbox", { name: "What people see" });
  await expect(shown).toBeFocused();
  await shown.fill("Loud");
  const itsId = page.getByRole("textbox", { name: "Id", exact: true });
  await expect(itsId).toHaveValue("loud");
  await itsId.fill(taken.id);
  await itsId.press("Enter");
  await expect(itsId).toBeFocused();
  await expect(itsId).toHaveAccessibleDescription(/^There is, or was, an agent of this id/);
  const id = `loud-${crypto.randomUUID().slice(0, 6)}`;
  await itsId.fill(id);
  await itsId.press("Enter");

  await expect(page.getByText("This is the only time that the credential is shown.")).toBeVisible();
  await page.getByRole("radio", { name: "Script" }).check();
  await button(page, "Copy: Command").click();
  await expect(button(page, "Copied: Command")).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Waiting for Loud to connect" })).toBeVisible();
  // Narrow and wide again, as a phone that is turned: it is shown only once, but that long.
  expect(await faultsOf(page, "welcome-connect")).toEqual([]);
  await expect(page.getByText("This is the only time that the credential is shown.")).toBeVisible();
  const agent = runInShell(await page.evaluate(() => navigator.clipboard.readText()), server);
  try {
    await expect(page.getByRole("status").filter({ hasText: "Loud is connected!" })).toBeVisible({ timeout: 20_000 });
    await button(page, "Open the chat").click();
    await page.getByRole("textbox", { name: "Message Loud" }).fill("hello there");
    await page.getByRole("textbox", { name: "Message Loud" }).press("Enter");
    await expect(page.getByRole("log")).toContainText("HELLO THERE");
  } finally {
    agent.end();
    await admin.removeAgent(id);
  }
});
