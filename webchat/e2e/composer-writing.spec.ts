/** Writing a message: keys, words that are composed, drafts, how high the field grows, and that a network is no matter. */

import { articles, field, log, newest, test, write } from "./answers-scene.ts";
import { expect, type Page } from "./harness.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

const row = (page: Page, name: string) => page.getByRole("navigation").getByRole("link", { name: new RegExp(name) });
const heightOf = (page: Page) => field(page).evaluate((each) => each.getBoundingClientRect().height);

test("Enter sends, Shift+Enter breaks the line, and the field is empty and has the focus again", async ({ chatWith }) => {
  const { coder, page } = await chatWith();
  await expect(field(page)).toBeFocused();
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await expect(field(page)).toHaveValue("one\ntwo");
  await page.keyboard.press("Enter");
  expect((await coder.nextMessage()).content).toBe("one\ntwo");
  await expect(field(page)).toHaveValue("");
  await expect(field(page)).toBeFocused();
  // Nothing in it, nothing to send.
  await page.keyboard.type("   ");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Send", exact: true })).toBeDisabled();
  await write(page, "three");
  expect((await coder.nextMessage()).content).toBe("three");
  await expect(articles(page)).toHaveCount(2);
});

test("Enter that ends the composing of a word does not send it", async ({ chatWith }) => {
  const { coder, page } = await chatWith();
  const debug = await page.context().newCDPSession(page);
  const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 };
  await debug.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
  await debug.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
  await debug.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
  await debug.send("Input.insertText", { text: "日本" });
  await expect(field(page)).toHaveValue("日本");
  await page.keyboard.press("Enter");
  expect((await coder.nextMessage()).content).toBe("日本");
  expect(coder.received).toHaveLength(1);
});

test("under fingers Enter breaks the line, the button sends, and no keyboard is raised over what one reads", async ({ chatWith }) => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const { coder, page } = await chatWith(phone);
  await expect(field(page)).not.toBeFocused();
  await field(page).tap();
  await page.keyboard.type("one");
  await page.keyboard.press("Enter");
  await page.keyboard.type("two");
  await expect(field(page)).toHaveValue("one\ntwo");
  await page.getByRole("button", { name: "Send", exact: true }).tap();
  expect((await coder.nextMessage()).content).toBe("one\ntwo");
  // Where it can be written on: the keyboard stays up.
  await expect(field(page)).toBeFocused();
  // Smaller letters would make the phone zoom in.
  expect(await field(page).evaluate((each) => parseFloat(getComputedStyle(each).fontSize))).toBeGreaterThanOrEqual(16);
});

test("each chat has a draft of its own, which the list shows, and sending leaves none behind", async ({ chatWith, agents }) => {
  const { alice, coder, page, id } = await chatWith();
  const other = await agents.scripted("Baker");
  await alice.rest.createConversation(other.id);
  await field(page).fill("for the coder");
  await row(page, "Baker").click();
  await expect(field(page)).toHaveAccessibleName("Message Baker");
  await expect(field(page)).toHaveValue("");
  await expect(row(page, "Coder")).toContainText("Draft: for the coder");
  await field(page).fill("for the baker");
  await row(page, "Coder").click();
  await expect(field(page)).toHaveValue("for the coder");
  await expect(row(page, "Baker")).toContainText("Draft: for the baker");
  await page.goto("/");
  for (const [name, text] of [["Coder", "for the coder"], ["Baker", "for the baker"]] as const) {
    await expect(row(page, name)).toContainText(`Draft: ${text}`);
  }
  await page.goto(`/c/${id}`);
  await field(page).press("Enter");
  expect((await coder.nextMessage()).content).toBe("for the coder");
  await page.goto("/");
  await expect(row(page, "Coder")).toContainText("You: for the coder");
  await page.goto(`/c/${id}`);
  await expect(field(page)).toHaveValue("");
});

test("the field grows with the text up to 40 % of the window, then it scrolls, and the list keeps its end in sight", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(id, Array.from({ length: 40 }, (_, at) => `line ${at}`).join("\n\n"));
  await expect(newest(page)).toContainText("line 39");
  const low = await heightOf(page);
  await field(page).fill("one\ntwo\nthree");
  expect(await heightOf(page)).toBeGreaterThan(low * 1.8);
  await expect(newest(page).getByText("line 39")).toBeInViewport();
  await field(page).fill(Array.from({ length: 60 }, (_, at) => `${at}`).join("\n"));
  const height = page.viewportSize()!.height;
  expect(await heightOf(page)).toBeLessThanOrEqual(height * 0.4 + 1);
  expect(await heightOf(page)).toBeGreaterThan(height * 0.35);
  const [inside, shown] = await field(page).evaluate((each) => [each.scrollHeight, each.clientHeight]);
  expect(inside!).toBeGreaterThan(shown!);
  await expect(page.getByRole("button", { name: "Send", exact: true })).toBeInViewport({ ratio: 1 });
  await expect(newest(page).getByText("line 39")).toBeInViewport();
  await field(page).fill("");
  expect(await heightOf(page)).toBe(low);
});

test("without a network one writes and sends all the same, and it goes out once there is one", async ({ chatWith }) => {
  const { alice, coder, page } = await chatWith();
  await alice.context.setOffline(true);
  await write(page, "from a tunnel");
  await expect(field(page)).toHaveValue("");
  await expect(newest(page).getByLabel("Waiting for a connection")).toBeVisible();
  await expect(field(page)).toBeEditable();
  await alice.context.setOffline(false);
  expect((await coder.nextMessage()).content).toBe("from a tunnel");
  await expect(log(page).getByLabel("Waiting for a connection")).toHaveCount(0);
});

test("Ctrl+B, Ctrl+I and Ctrl+E mark what is selected, and undo takes it back", async ({ chatWith }) => {
  const { page } = await chatWith();
  await page.keyboard.type("loud");
  for (const [keys, expected] of [["Control+b", "**loud**"], ["Control+i", "***loud***"]] as const) {
    await page.keyboard.press("Control+a");
    if (keys === "Control+i") await field(page).evaluate((each: HTMLTextAreaElement) => each.setSelectionRange(2, 6));
    await page.keyboard.press(keys);
    await expect(field(page)).toHaveValue(expected);
  }
  await page.keyboard.press("Control+z");
  await expect(field(page)).toHaveValue("**loud**");
});
