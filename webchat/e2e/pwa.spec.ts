/** The client as a thing that is installed: its policy, its manifest, its worker, and that it opens offline. */

import { expect, test } from "./harness.ts";

test("the page loads under the policy of the server", async ({ page }) => {
  const answer = await page.goto("/");

  expect(answer!.headers()["content-security-policy"]).toContain("default-src 'none'");
  await expect(page).toHaveTitle(/amtrio/);
});

test("a browser finds nothing to object to in the manifest", async ({ page, context }) => {
  await page.goto("/");
  const session = await context.newCDPSession(page);

  const { errors, url } = await session.send("Page.getAppManifest");
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");

  expect(url).toMatch(/\/manifest\.webmanifest$/);
  expect(errors).toEqual([]);
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
});
