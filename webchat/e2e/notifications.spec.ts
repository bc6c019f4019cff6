/** Being told: by a tone, by a notice of the system, by numbers, and by pushes while no page is open. */

import { PushService } from "./push-service.ts";
import { axe, expect, screenshots, test, type BrowserContext, type Page, type Person } from "./harness.ts";
import { begun, expectNoOverflow, log, row } from "./shell-scene.ts";

// Parts that come later are there without a network, too.
test.use({ serviceWorkers: "allow" });

interface Notice extends EventTarget {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  isClosed: boolean;
}

/** What a page of these tests records. */
interface Heard {
  notices: Notice[];
  tones: number;
  badge: number;
  /** This tab has asked to be the one that tells. */
  hasBegun: boolean;
  /** As if another program had come to the front, or gone again. */
  leave(isAway: boolean): void;
}

declare const heard: Heard;

/** In place of the system: what would be shown and heard is recorded. Runs before the app, in each page. */
function listen(): void {
  if (location.protocol === "about:") return;
  class Recorded extends EventTarget {
    static permission = "default";
    static async requestPermission(): Promise<string> {
      localStorage.setItem("test.permission", "granted");
      return (Recorded.permission = "granted");
    }
    isClosed = false;
    constructor(title: string, options: object) {
      super();
      Object.assign(this, { title, ...options });
      const { tag } = this as unknown as Notice;
      for (const each of heard.notices) if (each.tag === tag) each.isClosed = true;
      heard.notices.push(this as unknown as Notice);
    }
    close(): void {
      this.isClosed = true;
    }
  }
  Recorded.permission = localStorage.getItem("test.permission") ?? "default";
  const { start } = AudioScheduledSourceNode.prototype;
  AudioScheduledSourceNode.prototype.start = function (...args) {
    // Two notes are one tone.
    heard.tones += 0.5;
    start.apply(this, args);
  };
  const { locks } = navigator;
  const request = locks.request.bind(locks) as (name: string, ...more: unknown[]) => Promise<unknown>;
  Object.assign(locks, {
    request: (name: string, ...more: unknown[]) => {
      if (name === "amtrio.speaker") heard.hasBegun = true;
      return request(name, ...more);
    },
  });
  let isAway = false;
  document.hasFocus = () => !isAway;
  navigator.setAppBadge = async (count) => void (heard.badge = count ?? 0);
  navigator.clearAppBadge = async () => void (heard.badge = 0);
  Object.assign(globalThis, {
    heard: globalThis,
    Notification: Recorded,
    notices: [],
    tones: 0,
    badge: 0,
    hasBegun: false,
    leave: (away: boolean) => {
      isAway = away;
      dispatchEvent(new Event(away ? "blur" : "focus"));
    },
  });
}

const notices = (page: Page): Promise<string[]> =>
  page.evaluate(() => heard.notices.filter((each) => !each.isClosed).map(({ title, body }) => `${title}: ${body}`));
const tones = (page: Page): Promise<number> => page.evaluate(() => heard.tones);
const leave = (page: Page, isAway = true): Promise<void> => page.evaluate((away) => heard.leave(away), isAway);

async function signedIn(who: Person): Promise<Page> {
  await who.context.addInitScript(listen);
  const page = await who.signIn();
  await ready(page);
  return page;
}

/** Until notifications have begun, and a click has made sound possible. */
async function ready(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => heard.hasBegun)).toBe(true);
  await page.mouse.click(1270, 790);
}

async function turnOn(page: Page, name: string): Promise<void> {
  await page.goto("/settings/notifications");
  const choice = page.getByRole("switch", { name });
  await choice.click();
  await expect(choice).toBeChecked();
  await ready(page);
}

const IN_BACKGROUND = "Notifications while the page is in the background";

test("a tone tells of a message in another chat; none of the open one, of a muted one, or of one's own", async ({ person, agents }) => {
  const alice = await person("Alice");
  const page = await signedIn(alice);
  const [one, two, three] = [await agents.scripted("Anna"), await agents.scripted("Berta"), await agents.scripted("Clara")];
  const open = (await alice.rest.createConversation(one.id)).conversation_id;
  const muted = (await alice.rest.createConversation(two.id)).conversation_id;
  const other = (await alice.rest.createConversation(three.id)).conversation_id;
  await row(page, "Berta").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Mute until I turn it on" }).click();
  await expect(row(page, "Berta")).toContainText("Muted");
  await row(page, "Anna").click();

  await one.send(open, "before your eyes");
  await expect(log(page)).toContainText("before your eyes");
  await two.send(muted, "in a muted chat");
  await expect(row(page, "Berta")).toContainText("in a muted chat");
  await alice.connect().send("message", { conversation_id: other, content: "from my phone" });
  await expect(row(page, "Clara")).toContainText("from my phone");
  expect(await tones(page)).toBe(0);

  await three.send(other, "news");
  await expect.poll(() => tones(page)).toBe(1);
  await three.send(other, "and more of it");
  await expect(row(page, "Clara")).toContainText("and more of it");
  expect(await tones(page)).toBe(1);
  expect(await notices(page)).toEqual([]);
});

test("out of sight a notice says who and what; its click leads to the message, and reading takes it away", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const page = await signedIn(alice);
  await turnOn(page, IN_BACKGROUND);
  await leave(page);

  const { conversation_id: id } = await alice.rest.createConversation(coder.id);
  const { message_id } = await coder.send(id, "**Build** finished");
  await expect.poll(() => notices(page)).toEqual(["Coder: Build finished"]);
  await page.evaluate(() => {
    heard.leave(false);
    heard.notices.at(-1)!.dispatchEvent(new Event("click"));
  });
  await expect(page).toHaveURL(new RegExp(`/c/${id}\\?m=${message_id}$`));
  await expect(log(page).getByRole("article").filter({ hasText: "Build finished" })).toBeFocused();

  await leave(page);
  await coder.send(id, "and again");
  await expect.poll(() => notices(page)).toEqual(["Coder: and again"]);
  await leave(page, false);
  await expect.poll(() => notices(page)).toEqual([]);
});

test("what is read elsewhere loses its notice, its badge and its place in the title, which muted chats never had", async ({ person, agents }) => {
  const alice = await person("Alice");
  const [one, two] = [await agents.scripted("Anna"), await agents.scripted("Berta")];
  const page = await signedIn(alice);
  await turnOn(page, IN_BACKGROUND);
  await leave(page);
  const first = await begun(alice, one, "one");
  await one.send(first, "two");
  await one.send(first, "three");
  await expect(page).toHaveTitle(/^\(3\) /);
  await expect.poll(() => page.evaluate(() => heard.badge)).toBe(3);
  await expect.poll(() => notices(page)).toContain("Anna: three");

  const second = await begun(alice, two, "four");
  await expect(page).toHaveTitle(/^\(4\) /);
  await alice.rest.call("PUT", `/conversations/${second}/notifications`, { body: { muted: true } });
  await expect(page).toHaveTitle(/^\(3\) /);

  const phone = await alice.device();
  await row(phone, "Anna").click();
  await expect(log(phone)).toContainText("three");
  await expect(page).toHaveTitle(/^Settings/);
  await expect(row(page, "Anna")).not.toContainText("unread");
  await expect.poll(() => page.evaluate(() => heard.badge)).toBe(0);
  expect((await notices(page)).filter((each) => each.startsWith("Anna"))).toEqual([]);
});

test("of two tabs one tells, and the other does once the first is gone", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const first = await signedIn(alice);
  await turnOn(first, IN_BACKGROUND);
  const second = await alice.tab();
  await second.goto("/");
  await ready(second);
  for (const page of [first, second]) await leave(page);

  const id = await begun(alice, coder, "said once");
  for (const page of [first, second]) await expect(row(page, "Coder")).toContainText("said once");
  const all = [...(await notices(first)), ...(await notices(second))];
  expect(all).toEqual(["Coder: said once"]);
  expect((await tones(first)) + (await tones(second))).toBe(1);

  const speaks = (await notices(first)).length === 1;
  const left = speaks ? second : first;
  await (speaks ? first : second).close();
  await expect
    .poll(() => left.evaluate(async () => (await navigator.locks.query()).pending?.some(({ name }) => name === "amtrio.speaker")))
    .toBe(false);
  await coder.send(id, "said again");
  await expect.poll(() => notices(left)).toEqual(["Coder: said again"]);
});

test("a person who pauses everything is left alone; one who wants no preview reads only whose it is", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder");
  const page = await signedIn(alice);
  await turnOn(page, IN_BACKGROUND);
  await turnOn(page, "Pause everything");
  await leave(page);
  const id = await begun(alice, coder, "psst");
  await expect(row(page, "Coder")).toContainText("psst");
  expect([await tones(page), ...(await notices(page))]).toEqual([0]);

  // Another device takes it back.
  await alice.rest.call("PUT", "/notifications/preferences", { body: { muted_until: null } });
  await expect(page.getByRole("switch", { name: "Pause everything" })).not.toBeChecked();
  await page.getByRole("switch", { name: "Say what the message says" }).uncheck();
  await coder.send(id, "a secret");
  await expect.poll(() => notices(page)).toEqual(["Coder: New message"]);
  expect(await tones(page)).toBe(1);
});

test("the settings say what this browser and this account may do", async ({ person }) => {
  const alice = await person("Alice");
  const page = await signedIn(alice);
  await page.goto("/settings/notifications");
  await expect(page.getByText("Your browser will ask whether amtrio may show notifications.")).toBeVisible();
  await page.getByRole("button", { name: "Listen" }).click();
  await expect.poll(() => tones(page)).toBe(1);
  await page.getByRole("switch", { name: "Quiet hours" }).click();
  const until = page.getByLabel("To", { exact: true });
  await until.fill("06:30");
  await until.blur();
  await expect
    .poll(() => alice.rest.call("GET", "/notifications/preferences"))
    .toMatchObject({ quiet_to: "06:30", time_zone: "Europe/Berlin" });

  expect(await axe(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await axe(page)).toEqual([]);
  await page.setViewportSize({ width: 320, height: 640 });
  await expectNoOverflow(page);
  await screenshots(page, "notifications");
});

test.describe("pushes", () => {
  test.use({ ownServer: { env: { AMTRIO_PUSH_GRACE_S: "0", AMTRIO_PUSH_PRIVATE_NETWORKS: "127.0.0.1/32" } } });

  test("a browser that asked for it is woken while no page is open, and a click leads to the message", async ({ person, agents }) => {
    const service = await PushService.started();
    const alice = await person("Alice", { permissions: ["notifications"] });
    const coder = await agents.scripted("Coder");
    await alice.context.addInitScript(subscribeAt, service.subscription);
    const page = await alice.signIn();
    await page.goto("/settings/notifications");
    const choice = page.getByRole("switch", { name: "Notifications while the page is closed" });
    await choice.click();
    await expect(choice).toBeChecked();
    expect(await alice.rest.call("GET", "/push/devices")).toMatchObject([{ platform: "web", can_withdraw: true }]);
    // It is known again after a start.
    const registered = page.waitForRequest((request) => request.url().endsWith("/push/devices") && request.method() === "PUT");
    await page.reload();
    await registered;

    // A page that is not the app's own.
    await page.goto("/docs");
    const { conversation_id: id } = await alice.rest.createConversation(coder.id);
    const { message_id } = await coder.send(id, "Build **finished**");
    await expect.poll(() => service.pushed).toHaveLength(1);
    await deliver(alice.context, page, service.pushed[0]!);
    expect(await shown(page)).toEqual(["Coder: Build finished"]);

    await page.goto("/settings");
    await click(alice.context);
    await expect(page).toHaveURL(new RegExp(`/c/${id}\\?m=${message_id}$`));
    await expect(log(page).getByRole("article").filter({ hasText: "Build finished" })).toBeFocused();
    await expect.poll(() => service.pushed).toHaveLength(2);
    expect(JSON.parse(service.pushed[1]!)).toMatchObject({ withdraw: true, tag: `conversation-${id}`, unread: 0 });

    await page.goto("/settings/account");
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
    expect(await alice.rest.call("GET", "/push/devices")).toEqual([]);
    await service.close();
  });
});

/** In place of the push service that this browser does not have. Runs before the app, in each page. */
function subscribeAt(json: { endpoint: string; keys: object }): void {
  const KEY = "test.subscribed";
  const subscription = (key: string) => ({
    endpoint: json.endpoint,
    options: { applicationServerKey: Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0)).buffer },
    toJSON: () => json,
    unsubscribe: async () => {
      localStorage.removeItem(KEY);
      return true;
    },
  });
  const made = (): unknown => {
    const key = localStorage.getItem(KEY);
    return key === null ? null : subscription(key);
  };
  const subscribe = async ({ applicationServerKey }: { applicationServerKey: string }): Promise<unknown> => {
    localStorage.setItem(KEY, applicationServerKey);
    return made();
  };
  Object.assign(PushManager.prototype, { subscribe, getSubscription: async () => made() });
}

/** As the browser's push service would. A worker that is still being installed hears nothing of it. */
async function deliver(context: BrowserContext, page: Page, data: string): Promise<void> {
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  const session = await context.newCDPSession(page);
  const registrationId = await new Promise<string>((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      if (registrations[0] !== undefined) resolve(registrations[0].registrationId);
    });
    void session.send("ServiceWorker.enable");
  });
  const worker = context.serviceWorkers()[0]!;
  await worker.evaluate(watchShowing);
  await session.send("ServiceWorker.deliverPushMessage", { origin: new URL(page.url()).origin, registrationId, data });
  await worker.evaluate(() => (globalThis as unknown as { isShown: Promise<void> }).isShown);
  await session.detach();
}

/** Not to be asked for before it is there: Chromium forgets a notification that somebody looks for while it is being shown. */
function watchShowing(): void {
  const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
  const show = registration.showNotification.bind(registration);
  const isShown = new Promise<void>((resolve) => {
    registration.showNotification = (...args) => show(...args).then(resolve);
  });
  Object.assign(globalThis, { isShown });
}

function shown(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const all = await (await navigator.serviceWorker.ready).getNotifications();
    return all.map(({ title, body }) => `${title}: ${body}`);
  });
}

/** On the notification that is shown. */
async function click(context: BrowserContext): Promise<void> {
  await context.serviceWorkers()[0]!.evaluate(async () => {
    const scope = globalThis as unknown as { registration: ServiceWorkerRegistration; dispatchEvent(event: Event): boolean };
    const [notification] = await scope.registration.getNotifications();
    scope.dispatchEvent(Object.assign(new Event("notificationclick"), { notification, waitUntil: () => {} }));
  });
}
