/** The client as a thing that is installed: its policy, its manifest, offline, new versions, and pushes. */

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WEBCHAT } from "./harness/build.ts";
import { expect, test, type BrowserContext, type Page } from "./harness.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

/** Until the worker answers for this page. */
async function controlled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller !== null) return;
    await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  });
}

test("the page loads under the policy of the server, and asks nobody else", async ({ page }) => {
  const answer = await page.goto("/");

  const policy = answer!.headers()["content-security-policy"]!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("require-trusted-types-for 'script'");
  await expect(page).toHaveTitle(/amtrio/);
  await controlled(page);
});

test("a browser finds nothing to object to in the manifest, and would install it", async ({ page, context }) => {
  await page.goto("/");
  await controlled(page);
  const session = await context.newCDPSession(page);

  const { errors, url } = await session.send("Page.getAppManifest");
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");

  expect(url).toMatch(/\/manifest\.webmanifest$/);
  expect(errors).toEqual([]);
  // A browser of a test is incognito, where nothing is installed.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito")).toEqual([]);
});

for (const path of ["/", "/c/conv_1?m=msg_1", "/settings", "/find?q=tides"]) {
  test(`without a network ${path} opens all the same`, async ({ browserOf }) => {
    const context = await browserOf();
    const page = await context.newPage();
    await page.goto("/");
    await controlled(page);
    await context.setOffline(true);

    const answer = await page.goto(path);

    expect(answer!.fromServiceWorker()).toBe(true);
    await expect(page.locator("input[type=password]")).toBeVisible();
  });
}

test("the chosen theme is there before the app is", async ({ page, allow }) => {
  allow(/ERR_FAILED/);
  await page.emulateMedia({ colorScheme: "light" });
  await page.addInitScript(() => localStorage.setItem("amtrio.theme", "dark"));
  await page.route("**/assets/*.js", (route) => route.abort());
  await page.goto("/");

  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("dark");
  expect(await page.locator("#root").innerHTML()).toBe("");
});

test("what the server answers itself is not taken over by the worker", async ({ page }) => {
  await page.goto("/");
  await controlled(page);

  const answer = await page.goto("/docs");

  expect(answer!.fromServiceWorker()).toBe(false);
  expect(answer!.status()).toBe(200);
});

test.describe("a new version", () => {
  const folder = mkdtemp(join(tmpdir(), "amtrio-webchat-"));
  const edit = async (name: string, change: (text: string) => string): Promise<void> => {
    const path = join(await folder, name);
    await writeFile(path, change(await readFile(path, "utf8")));
    for (const twin of [".br", ".gz"]) await rm(path + twin, { force: true });
  };
  test.use({
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs
    ownServer: async ({}, give) => {
      await cp(WEBCHAT, await folder, { recursive: true });
      await give({ env: { WEBCHAT_DIR: await folder } });
    },
  });
  test.afterAll(async () => rm(await folder, { recursive: true, force: true }));

  test("waits for the person, and old tabs go on with their own files", async ({ page, context, server }) => {
    // The server starts twice, and the worker fetches all that there is twice.
    test.slow();
    await page.goto("/");
    await controlled(page);
    const other = await context.newPage();
    await other.goto("/");

    await server.stop();
    await edit("index.html", (text) => text.replace("<title>amtrio</title>", "<title>amtrio, the next</title>"));
    await edit("sw.js", (text) => text.replace(/`([0-9a-f]{12})`/, "`000000000002`"));
    await server.start();
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    const offer = page.getByRole("button", { name: "Load it" });
    await expect(offer).toBeVisible();
    await other.reload();
    await expect(other).toHaveTitle("amtrio");

    await offer.click();

    await expect(page).toHaveTitle("amtrio, the next");
    await expect(other.getByRole("button", { name: "Load it" })).toBeVisible();
    await expect(other).toHaveTitle("amtrio");
    expect(await page.evaluate(async () => (await caches.keys()).length)).toBe(2);
  });
});

test.describe("a part of the page that the server does not have any more", () => {
  // With one, the parts of the old version are still there.
  test.use({ serviceWorkers: "block" });
  const PART = "**/assets/shell-*.js";
  const gone = { status: 404, body: "" };

  test("makes the page load itself anew, and then all is well", async ({ person, allow }) => {
    allow(/404|page error|dynamically imported|preload/);
    const page = await (await person("Alice")).signIn();
    await page.route(PART, (route) => route.fulfill(gone), { times: 1 });
    await page.goto("/");

    await expect(page.getByRole("button", { name: "New chat" }).first()).toBeVisible();
  });

  test("does so once, not for ever, and then says so", async ({ person, allow }) => {
    allow(/404|page error|dynamically imported|preload/);
    const page = await (await person("Alice")).signIn();
    let loads = 0;
    page.on("framenavigated", () => (loads += 1));
    await page.route(PART, (route) => route.fulfill(gone));
    await page.goto("/");
    await expect.poll(() => loads).toBe(2);

    await expect(page.getByRole("heading", { name: "This view has failed" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Load again" })).toBeVisible();
    await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
    expect(loads).toBe(2);
  });
});

test.describe("pushes", () => {
  test.use({ permissions: ["notifications"] });

  /** As if the browser's push service had delivered it. */
  async function push(context: BrowserContext, page: Page, data: object | string): Promise<void> {
    const session = await context.newCDPSession(page);
    const registrationId = await new Promise<string>((resolve) => {
      session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
        if (registrations[0] !== undefined) resolve(registrations[0].registrationId);
      });
      void session.send("ServiceWorker.enable");
    });
    const text = typeof data === "string" ? data : JSON.stringify(data);
    await session.send("ServiceWorker.deliverPushMessage", { origin: new URL(page.url()).origin, registrationId, data: text });
    await session.detach();
  }

  const shown = (page: Page): Promise<string[]> =>
    page.evaluate(async () => {
      const notifications = await (await navigator.serviceWorker.ready).getNotifications();
      return notifications.map(({ title, body, tag }) => `${tag}: ${title}: ${body}`);
    });

  const NOTICE = {
    title: "Coder",
    body: "Build finished",
    tag: "conversation-conv_01",
    conversation_id: "conv_01",
    message_id: "msg_09",
    url: "./?conversation=conv_01",
    unread: 3,
  };

  test("a push is shown, its successor takes its place, and a withdrawn one goes", async ({ page, context }) => {
    await page.goto("/");
    await controlled(page);

    await push(context, page, NOTICE);
    await expect.poll(() => shown(page)).toEqual(["conversation-conv_01: Coder: Build finished"]);
    await push(context, page, { ...NOTICE, body: "Deployed" });
    await expect.poll(() => shown(page)).toEqual(["conversation-conv_01: Coder: Deployed"]);
    await push(context, page, { ...NOTICE, withdraw: true });
    await expect.poll(() => shown(page)).toEqual([]);
    await push(context, page, "no JSON");
    await expect.poll(() => shown(page)).toEqual(["amtrio: amtrio: "]);
  });

  test("nothing is shown of the conversation that somebody looks at", async ({ page, context }) => {
    await page.goto("/c/conv_01");
    await controlled(page);
    await page.bringToFront();

    await push(context, page, NOTICE);
    await push(context, page, { ...NOTICE, tag: "conversation-conv_02", conversation_id: "conv_02" });

    await expect.poll(() => shown(page)).toEqual(["conversation-conv_02: Coder: Build finished"]);
  });

  test("a click shows the message in the page that is open", async ({ page, context }) => {
    await page.goto("/settings");
    await controlled(page);
    await push(context, page, NOTICE);
    await expect.poll(() => shown(page)).toHaveLength(1);
    const worker = context.serviceWorkers()[0]!;

    await worker.evaluate(async () => {
      const scope = globalThis as unknown as ServiceWorkerGlobalScopeLike;
      const [notification] = await scope.registration.getNotifications();
      const event = Object.assign(new Event("notificationclick"), { notification, waitUntil: () => {} });
      scope.dispatchEvent(event);
    });

    await expect(page).toHaveURL(/\/c\/conv_01\?m=msg_09$/);
    expect(await shown(page)).toEqual([]);
  });
});

interface ServiceWorkerGlobalScopeLike {
  registration: ServiceWorkerRegistration;
  dispatchEvent(event: Event): boolean;
}
