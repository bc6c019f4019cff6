/** A person's chat with an agent that the test plays, open in a browser: where the scenes about answers begin. */

import type { AgentInfo } from "@amtrio/client";
import type { BrowserContextOptions, Locator } from "@playwright/test";
import { test as base, type Page, type Person, type ScriptedAgent } from "./harness.ts";

export interface Chat {
  readonly alice: Person;
  readonly coder: ScriptedAgent;
  readonly page: Page;
  /** Of the conversation. */
  readonly id: string;
}

interface ChatOptions extends BrowserContextOptions {
  readonly card?: Partial<AgentInfo>;
}

export const test = base.extend<{ chatWith: (options?: ChatOptions) => Promise<Chat> }>({
  chatWith: async ({ person, agents }, give) =>
    give(async ({ card, ...options } = {}) => {
      const alice = await person("Alice", options);
      const coder = await agents.scripted("Coder", card);
      const { conversation_id: id } = await alice.rest.createConversation(coder.id);
      const page = await alice.signIn();
      await page.goto(`/c/${id}`);
      await field(page).waitFor();
      return { alice, coder, page, id };
    }),
});

export const log = (page: Page): Locator => page.getByRole("log");

export const articles = (page: Page): Locator => log(page).getByRole("article");

/** The newest message. */
export const newest = (page: Page): Locator => articles(page).last();

export const field = (page: Page): Locator => page.getByRole("textbox", { name: /^(Message|Nachricht an) / });

export const stopButton = (page: Page): Locator => page.getByRole("button", { name: "Stop", exact: true });

export async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press("Enter");
}

/** Nothing of the page lies beside what is shown of it. */
export async function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
