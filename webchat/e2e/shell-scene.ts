/** What the tests of the shell have in common: the list, its rows, a chat that has begun. */

import { expect, type Locator, type Page, type Person, type ScriptedAgent } from "./harness.ts";

/** A conversation in which the agent said something. */
export async function begun(who: Person, agent: ScriptedAgent, text = "Hello", title?: string): Promise<string> {
  const { conversation_id: id } = await who.rest.createConversation(agent.id, title);
  await agent.send(id, text);
  return id;
}

export function list(page: Page): Locator {
  return page.getByRole("navigation", { name: "Chats" }).getByRole("list", { name: "Chats" });
}

export function row(page: Page, name: string | RegExp): Locator {
  return list(page).getByRole("link").filter({ hasText: name });
}

export async function namesInOrder(page: Page, names: readonly string[]): Promise<string[]> {
  const texts = await list(page).getByRole("link").allInnerTexts();
  return texts.map((text) => names.find((name) => text.includes(name)) ?? text);
}

export async function expectOrder(page: Page, names: readonly string[]): Promise<void> {
  await expect.poll(() => namesInOrder(page, names)).toEqual(names);
}

export function log(page: Page): Locator {
  return page.getByRole("log");
}

export function field(page: Page): Locator {
  return page.getByRole("textbox", { name: /^Message / });
}

export async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press("Enter");
}

/** Nothing is wider than the window, and nothing can be scrolled sideways. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const found = [...document.querySelectorAll<HTMLElement>("body *")].filter((each) => {
      const { left, right } = each.getBoundingClientRect();
      if (right - left < 1 || (right <= width + 1 && left >= -1) || !each.checkVisibility({ visibilityProperty: true })) return false;
      // What scrolls in its own box, or is only read out, is seen there or not at all.
      for (let up = each.parentElement; up !== null; up = up.parentElement) {
        if (up !== document.body && getComputedStyle(up).overflowX !== "visible") return false;
      }
      return getComputedStyle(each).clipPath === "none";
    });
    const page = document.documentElement.scrollWidth > width ? [`the page: ${document.documentElement.scrollWidth}`] : [];
    return [...page, ...found.map((each) => each.outerHTML.slice(0, 120))];
  });
  expect(wide).toEqual([]);
}
