/** Over plain HTTP at home: browsers withhold locks, workers, the clipboard and the crypto; the chat works all the same. */

import { expect, PASSWORD, test } from "./harness.ts";

test("somebody opens it at http://…home, makes an account, talks, and is still there after a reload", async ({ browserOf, agents, server, watch, allow }) => {
  // Chromium says that it does not honour the header there.
  allow(/Cross-Origin-Opener-Policy/);
  const url = server.url.replace("127.0.0.1", "chat.home.test");
  watch.trust(url);
  const coder = await agents.scripted("Coder");
  const page = await (await browserOf()).newPage();
  await page.goto(url);
  expect(await page.evaluate(() => [isSecureContext, "locks" in navigator, "serviceWorker" in navigator])).toEqual([false, false, false]);
  await page.getByRole("button", { name: "Create an account" }).click();
  await page.getByLabel("Username", { exact: true }).fill(`plain_${Date.now()}`);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Password", { exact: true })).toBeHidden();

  await page.getByRole("button", { name: "New chat" }).first().click();
  await page.getByRole("dialog").getByText("Coder").first().click();
  const field = page.getByRole("textbox", { name: /^Message / });
  await field.fill("hello over plain HTTP");
  await field.press("Enter");
  const asked = await coder.nextMessage();
  expect(asked.content).toBe("hello over plain HTTP");
  const run = await coder.run(asked);
  await run.say("Loud and clear.\n\n```sh\nls\n```");
  await run.finish();
  await expect(page.getByRole("log")).toContainText("Loud and clear.");
  await page.reload();
  await expect(page.getByRole("log")).toContainText("Loud and clear.");
  await expect(page.getByRole("log").getByRole("article")).toHaveCount(2);

  // What cannot be had here is not offered, or says why.
  await page.getByRole("button", { name: "Options of this chat" }).click();
  await page.getByRole("menuitem", { name: /^Encryption/ }).click();
  await page.getByRole("dialog").getByRole("switch").click();
  await expect(page.getByRole("dialog")).toContainText(/HTTPS|TLS|browser/);
});
