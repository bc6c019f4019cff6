/** One conversation, and what the tests about reading and handling its messages do again and again. */

import type { Message } from "@amtrio/client";
import type { Locator } from "@playwright/test";
import { articles } from "./answers-scene.ts";
import { expect, type Page, type Person, type ScriptedAgent, type Server } from "./harness.ts";

export { articles, field, log, newest, sidewaysOverflow, test, write } from "./answers-scene.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 86_400_000;

/** A message by what stands in it. */
export const saying = (page: Page, text: string | RegExp): Locator => articles(page).filter({ hasText: text });

export const dialog = (page: Page): Locator => page.getByRole("dialog");

export const notice = (page: Page, text: string | RegExp): Locator =>
  page.getByRole("status", { name: "Notices" }).getByText(text);

/** Numbered words of the agent, each long enough to fill a line or two. */
export async function fill(agent: ScriptedAgent, id: string, count: number, from = 1): Promise<void> {
  const numbers = Array.from({ length: count }, (_, at) => from + at);
  const more = "and a few words that follow it, so that there is something to scroll through.";
  // In order: one socket keeps it.
  await Promise.all(numbers.map((number) => agent.send(id, `Word number ${number} ${more}`)));
}

/** What a person said by another device. */
export async function said(alice: Person, id: string, content: string): Promise<Message> {
  const connection = alice.connect();
  const { message_id: messageId } = await connection.send("message", { conversation_id: id, content });
  await connection.close();
  return alice.rest.message(messageId);
}

/** Everything that the agent has said so far has been seen. */
export async function readAll(alice: Person, id: string): Promise<void> {
  const { messages } = await alice.rest.history(id, { limit: 1 });
  const connection = alice.connect();
  await connection.send("read", { conversation_id: id, message_id: messages[0]!.message_id });
  await connection.close();
}

/** The page has shown everything that the agent said, and told the server so. */
export async function expectSeen(alice: Person, id: string): Promise<void> {
  const unread = async (): Promise<number | undefined> =>
    (await alice.rest.conversations()).find((each) => each.conversation_id === id)?.unread_count;
  await expect.poll(unread).toBe(0);
}

/** As if it had been said at another time; before anybody has seen it. */
export function backdate(server: Server, messageId: string, milliseconds: number): void {
  server.change("UPDATE message SET created_us = created_us - ? WHERE id = ?", milliseconds * 1000, messageId);
}

/** By the button beside it. */
export async function openMenu(page: Page, message: Locator): Promise<Locator> {
  await message.hover();
  await message.getByRole("button", { name: "More about this message" }).click();
  await expect(messageMenu(page)).toBeVisible();
  return messageMenu(page);
}

export const messageMenu = (page: Page): Locator => page.getByRole("menu", { name: "What to do with this message" });

export async function choose(page: Page, message: Locator, item: string): Promise<void> {
  await (await openMenu(page, message)).getByRole("menuitem", { name: item }).click();
}

/** Of the header. */
export async function chooseOption(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Options of this chat" }).click();
  await page.getByRole("menuitem", { name }).click();
}

/** How far from the upper edge of the list it begins, in pixels. */
export async function topInList(message: Locator): Promise<number> {
  return message.evaluate((element) => {
    const list = element.closest<HTMLElement>("[role=log]")!;
    return element.getBoundingClientRect().top - list.getBoundingClientRect().top;
  });
}

/** Nothing of it lies outside of the window. */
export async function expectInWindow(page: Page, what: Locator): Promise<void> {
  const box = (await what.boundingBox())!;
  const { width, height } = page.viewportSize()!;
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.y).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(width);
  expect(box.y + box.height).toBeLessThanOrEqual(height);
}
