/** How the shell looks and fits: for eyes and for axe, at every width, on a phone, in the dark, in German. */

import { axe, expect, screenshots, test, type Agents, type Page, type Person } from "./harness.ts";
import { begun, expectNoOverflow, field, list, log, row } from "./shell-scene.ts";

const LONG = "A title that goes on and on about harbours, tides, lighthouses and whoever keeps them through the winter";

/** A list with everything that a row can say. Returns the chat that is open. */
async function lived(who: Person, agents: Agents): Promise<string> {
  const anna = await agents.scripted("Anna");
  const long = await agents.scripted("Donaudampfschifffahrtsgesellschaftskapitän");
  const open = await begun(who, anna, "Hello, what shall we do today?");
  const pinned = await begun(who, anna, "Only the *finest* plans", LONG);
  const muted = await begun(who, long, "Lange Wörter brechen um oder werden gekürzt, aber sie verschieben nichts");
  const draft = await begun(who, long, "And?", "Plans");
  await who.rest.updateConversation(pinned, { pinned: true, tags: ["work"] });
  await who.rest.updateConversation(draft, { tags: ["a-very-long-tag-indeed", "travel"] });
  await who.rest.call("PUT", `/conversations/${muted}/notifications`, { body: { muted: true } });
  return open;
}

/** Nothing is wrong with what is shown, in light and dark, wide, on a phone, very narrow and at 200 %. */
async function expectSound(page: Page): Promise<void> {
  const before = page.viewportSize()!;
  expect(await axe(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await axe(page)).toEqual([]);
  for (const size of [{ width: 320, height: 640 }, { width: 640, height: 400 }, { width: 360, height: 740 }]) {
    await page.setViewportSize(size);
    await expectNoOverflow(page);
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(before);
}

test("the views are sound at every size, in light and in dark", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  const id = await lived(alice, agents);
  await expect(row(page, LONG)).toContainText("Only the finest plans");
  await test.step("the list", async () => {
    await expectSound(page);
    await screenshots(page, "shell-list");
  });
  await test.step("a chat", async () => {
    await row(page, "Anna").last().click();
    await expect(log(page)).toContainText("Hello");
    await expectSound(page);
    // At 200 % one can still read and write.
    await page.setViewportSize({ width: 640, height: 400 });
    await expect(field(page)).toBeInViewport({ ratio: 1 });
    expect((await log(page).boundingBox())!.height).toBeGreaterThan(150);
    await page.setViewportSize({ width: 1280, height: 800 });
    await screenshots(page, "shell-chat");
  });
  await test.step("looking for something", async () => {
    await page.goto("/find");
    await expect(page.getByRole("heading", { name: "Find anything that was said" })).toBeVisible();
    await expectSound(page);
    await screenshots(page, "shell-find");
  });
  await test.step("a place that is not there", async () => {
    await page.goto(`/c/${id}-not`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("This chat is not here");
    await expectSound(page);
  });
});

test("what opens over the views is sound at every size, in light and in dark", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await alice.signIn();
  await lived(alice, agents);
  await expect(row(page, LONG)).toBeVisible();
  const scenes: Record<string, () => Promise<void>> = {
    "new-chat": async () => page.keyboard.press("Alt+n"),
    palette: async () => page.keyboard.press("ControlOrMeta+k"),
    shortcuts: async () => page.keyboard.type("?"),
    menu: async () => row(page, LONG).click({ button: "right" }),
    rename: async () => {
      await row(page, LONG).press("Shift+F10");
      await page.getByRole("menuitem", { name: "Rename…" }).click();
    },
  };
  for (const [name, open] of Object.entries(scenes)) {
    await test.step(name, async () => {
      await open();
      const opened = page.locator("dialog[open], [role=menu]");
      await expect(opened).toBeVisible();
      await expectSound(page);
      await screenshots(page, `shell-${name}`);
      await page.keyboard.press("Escape");
      await expect(opened).toBeHidden();
    });
  }
});

test.describe("on a phone", () => {
  const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

  test("there is one pane; Back leads to the list, to the same row", async ({ person, agents }) => {
    const alice = await person("Alice", PHONE);
    const page = await alice.signIn();
    await lived(alice, agents);
    await row(page, LONG).tap();
    await expect(log(page)).toContainText("finest");
    await expect(list(page)).toBeHidden();
    await expect(field(page)).toBeInViewport({ ratio: 1 });
    await page.goBack();
    await expect(list(page)).toBeVisible();
    await expect(log(page)).toBeHidden();
    await expect(page).toHaveURL(/\/$/);

    await row(page, LONG).tap();
    await page.getByRole("link", { name: /back/i }).tap();
    await expect(list(page)).toBeVisible();
    await expect(page.getByRole("heading", { level: 1, name: "amtrio" })).toBeVisible();
  });

  test("a finger that stays opens the menu of a row and not its chat", async ({ person, agents }) => {
    const alice = await person("Alice", PHONE);
    const page = await alice.signIn();
    await lived(alice, agents);
    await expect(row(page, LONG)).toBeVisible();
    const { x, y, width, height } = (await row(page, LONG).boundingBox())!;
    const finger = await page.context().newCDPSession(page);
    const at = [{ x: x + width / 2, y: y + height / 2 }];
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at });
    await expect(page.getByRole("menu")).toBeVisible();
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await expect(page.getByRole("menu")).toBeVisible();
    await expect(page).toHaveURL(/\/$/);
    expect(await axe(page)).toEqual([]);
    await page.getByRole("menuitem", { name: "Unpin" }).tap();
    await expect(row(page, LONG)).not.toContainText("Pinned");
  });

  test("fingers find everything: targets of 44 pixels, fields that do not zoom, nothing under the edges of the glass", async ({ person, agents }) => {
    const alice = await person("Alice", PHONE);
    const page = await alice.signIn();
    const id = await lived(alice, agents);
    const glass = await page.context().newCDPSession(page);
    await glass.send("Emulation.setSafeAreaInsetsOverride" as "Emulation.clearIdleOverride", { insets: { top: 47, bottom: 34 } } as never);
    const views: [string, () => Promise<unknown>][] = [
      ["/", () => expect(row(page, LONG)).toBeVisible()],
      [`/c/${id}`, () => expect(log(page)).toContainText("Hello")],
      ["/find?q=plans&a=x", () => expect(page.getByRole("combobox", { name: "Agent" })).toBeVisible()],
    ];
    for (const [path, shown] of views) {
      await page.goto(path);
      await shown();
      expect(await page.evaluate(smallTargets), path).toEqual([]);
      expect(await page.evaluate(smallFields), path).toEqual([]);
      expect(await page.evaluate(underTheGlass), path).toEqual([]);
    }
    await page.goto("/");
    await page.getByRole("button", { name: "New chat" }).tap();
    await expect(page.getByRole("dialog")).toBeVisible();
    expect(await page.evaluate(smallTargets)).toEqual([]);
    expect(await page.evaluate(smallFields)).toEqual([]);
  });
});

test("the colours follow the system at once, and a choice of one's own is there from the first frame", async ({ person }) => {
  const alice = await person("Alice", { colorScheme: "light" });
  const page = await alice.signIn();
  const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.emulateMedia({ colorScheme: "light" });
  await page.evaluate(() => localStorage.setItem("amtrio.theme", "dark"));
  await page.addInitScript(() => {
    const seen = new Set<string>();
    Object.assign(globalThis, { seen });
    const look = (): void => {
      if (document.body) seen.add(`${getComputedStyle(document.documentElement).colorScheme} ${getComputedStyle(document.body).backgroundColor}`);
      requestAnimationFrame(look);
    };
    look();
  });
  await page.reload();
  await expect(page.getByRole("navigation", { name: "Chats" })).toBeVisible();
  expect(await page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen])).toEqual([`dark ${dark}`]);
});

test("who wants less motion sees none, also where an agent is writing", async ({ person, agents }) => {
  const alice = await person("Alice", { reducedMotion: "reduce" });
  const agent = await agents.scripted("Anna");
  const page = await alice.signIn();
  const id = await begun(alice, agent);
  await row(page, "Anna").click();
  const run = await agent.run(id);
  await run.say("Word by word");
  await expect(row(page, "Anna")).toContainText("is answering…");
  await expect
    .poll(() => page.evaluate(() => document.getAnimations().filter((each) => each.playState === "running").length))
    .toBe(0);
  await run.finish();
});

test("in German it is as complete and fits as well", async ({ person, agents }) => {
  const alice = await person("Alice", { locale: "de-DE" });
  const page = await alice.signIn();
  await lived(alice, agents);
  const rows = page.getByRole("navigation", { name: "Chats" }).getByRole("link");
  await expect(rows.filter({ hasText: LONG })).toContainText("Angeheftet");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mach da weiter, wo du warst");
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  for (const width of [1280, 390, 320]) {
    await page.setViewportSize({ width, height: 700 });
    await expectNoOverflow(page);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.type("?");
  await expect(page.getByRole("dialog", { name: "Tastenkürzel" })).toBeVisible();
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoOverflow(page);
  expect(await axe(page)).toEqual([]);
  await screenshots(page, "shell-german-shortcuts");
  await page.keyboard.press("Escape");
  await screenshots(page, "shell-german");
});

test("with letters twice as large no dialog and no list of settings is cut off, not in German either", async ({ person, agents }) => {
  const alice = await person("Alice", { locale: "de-DE" });
  const page = await alice.signIn();
  const id = await begun(alice, await agents.scripted("Anna"), "Hello");
  const enlarge = () => page.evaluate(() => void (document.documentElement.style.fontSize = "200%"));
  const isWhole = (element: Element): boolean => element.scrollWidth <= element.clientWidth;
  const dialog = page.getByRole("dialog");
  const expectWhole = async (name: string): Promise<void> => {
    await expect(dialog).toBeVisible();
    expect(await dialog.evaluate(isWhole), name).toBe(true);
    await expect(dialog.getByRole("button", { name: "Schließen" }).first()).toBeInViewport({ ratio: 1 });
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
  };
  await expect(list(page)).toContainText("Hello");
  await enlarge();
  await page.keyboard.type("?");
  await page.setViewportSize({ width: 360, height: 740 });
  await expectWhole("shortcuts");
  await page.goto(`/c/${id}`);
  await enlarge();
  for (const name of ["Umbenennen …", "Stummschalten …", "Schlagwörter …", "Verschlüsselung …", "Exportieren …", "Chat löschen …"]) {
    await page.getByRole("button", { name: "Optionen dieses Chats" }).click();
    await page.getByRole("menuitem", { name }).click();
    await expectWhole(name);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto("/settings/about");
  await enlarge();
  const sections = page.getByRole("navigation", { name: "Einstellungen" });
  await expect(sections).toBeVisible();
  expect(await sections.evaluate(isWhole)).toBe(true);
});

/** What fingers are to hit and is less than 44 pixels high or wide. Links within a sentence are none of it. */
function smallTargets(): string[] {
  const all = document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, [role=menuitem], [role=switch]");
  return [...all].flatMap((each) => {
    const { width, height } = (each.closest("label") ?? each).getBoundingClientRect();
    const style = getComputedStyle(each);
    const isThere = each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && style.pointerEvents !== "none";
    // Some reach further than their words: what lies over the box around them is theirs, too.
    if (getComputedStyle(each, "::after").position === "absolute") return [];
    if (!isThere || style.display === "inline" || style.clipPath !== "none" || each.closest("article") !== null) return [];
    return height < 43.5 || width < 43.5 ? [`${Math.round(width)}×${Math.round(height)} ${each.outerHTML.slice(0, 140)}`] : [];
  });
}

/** Fields into which Safari would zoom. */
function smallFields(): string[] {
  return [...document.querySelectorAll<HTMLElement>("input:not([type=checkbox], [type=radio], [type=range]), textarea, select")]
    .filter((each) => Number.parseFloat(getComputedStyle(each).fontSize) < 16)
    .map((each) => each.outerHTML.slice(0, 140));
}

/** Controls under the notch or the bar at the foot, that cannot be scrolled out from there. */
function underTheGlass(): string[] {
  return [...document.querySelectorAll<HTMLElement>("main header *, nav header *, main textarea, nav footer *")]
    .filter((each) => each.matches("a, button, textarea, input") && each.checkVisibility({ visibilityProperty: true }))
    .filter((each) => getComputedStyle(each).clipPath === "none")
    .flatMap((each) => {
      const { top, bottom } = each.getBoundingClientRect();
      return top < 47 || bottom > innerHeight - 34 ? [`${top}–${bottom} ${each.outerHTML.slice(0, 140)}`] : [];
    });
}
