/** A conversation that the server cannot read: turned on, used, compared, and what happens when keys change. */

import { axe, expect, screenshots, test, type Page } from "./harness.ts";

const log = (page: Page) => page.getByRole("log");
const field = (page: Page) => page.getByRole("textbox", { name: /^Message / });

async function openDialog(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Options of this chat" }).click();
  await page.getByRole("menuitem", { name: /^Encryption/ }).click();
  await expect(page.getByRole("dialog", { name: "End-to-end encryption" })).toBeVisible();
}

async function turnOn(page: Page): Promise<string> {
  await openDialog(page);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("switch").click();
  await expect(dialog.getByRole("switch")).toBeChecked();
  const digits = (await dialog.getByText(/^(\d{5}\s*){12}$/).innerText()).replaceAll(/\s/g, "");
  expect(digits).toHaveLength(60);
  return digits;
}

test("what is said in an encrypted conversation is in no frame, is answered, and is read again after a reload", async ({ person, agents, allow }) => {
  // Whether somebody has published keys is found out by asking.
  allow(/keys\/bundles/);
  const alice = await person("Alice");
  const demo = await agents.demo();
  const page = await alice.signIn();
  const frames: string[] = [];
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => frames.push(String(payload)));
    socket.on("framereceived", ({ payload }) => frames.push(String(payload)));
  });
  const { conversation_id: id } = await alice.rest.createConversation(demo.id);
  await page.goto(`/c/${id}`);
  await turnOn(page);
  expect(await axe(page)).toEqual([]);
  await screenshots(page, "encryption-dialog");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();

  await field(page).fill("say the word rhubarb");
  await field(page).press("Enter");
  await expect(log(page)).toContainText("say the word rhubarb");
  await expect(log(page).getByLabel("Encrypted")).toHaveCount(2, { timeout: 20_000 });
  await page.reload();
  await expect(log(page)).toContainText("say the word rhubarb");
  expect(frames.length).toBeGreaterThan(4);
  expect(frames.filter((frame) => frame.includes("rhubarb"))).toEqual([]);
  expect(frames.some((frame) => frame.includes("encrypted_message"))).toBe(true);
});

test("the numbers are compared once, and the lock says so", async ({ person, agents, allow }) => {
  // Whether somebody has published keys is found out by asking.
  allow(/keys\/bundles/);
  const alice = await person("Alice");
  const demo = await agents.demo();
  const page = await alice.signIn();
  const { conversation_id: id } = await alice.rest.createConversation(demo.id);
  await page.goto(`/c/${id}`);
  await turnOn(page);
  await page.getByRole("dialog").getByRole("button", { name: "The numbers are the same" }).click();
  await expect(page.getByRole("dialog").getByRole("button", { name: "The numbers are the same" })).toBeHidden();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
  await expect(page.getByRole("button", { name: "Encrypted and verified" })).toBeVisible();
});

test("another browser of the same account says that it cannot read it", async ({ person, agents, allow }) => {
  // Whether somebody has published keys is found out by asking.
  allow(/keys\/bundles/);
  const alice = await person("Alice");
  const demo = await agents.demo();
  const page = await alice.signIn();
  const { conversation_id: id } = await alice.rest.createConversation(demo.id);
  await page.goto(`/c/${id}`);
  await turnOn(page);
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();
  await field(page).fill("only here");
  await field(page).press("Enter");
  await expect(log(page).getByLabel("Encrypted").first()).toBeVisible();
  const phone = await alice.device({ viewport: { width: 390, height: 844 } });
  await phone.goto(`/c/${id}`);
  await expect(log(phone)).toContainText("This device cannot read this message");
  await expect(log(phone)).not.toContainText("only here");
});

test("an agent without keys cannot be talked to encrypted, and the dialog says so", async ({ person, agents, allow }) => {
  // Whether somebody has published keys is found out by asking.
  allow(/keys\/bundles/);
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const page = await alice.signIn();
  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  await page.goto(`/c/${id}`);
  await openDialog(page);
  await page.getByRole("dialog").getByRole("switch").click();
  await expect(page.getByRole("dialog")).toContainText(/no keys|has not published|cannot/i);
});
