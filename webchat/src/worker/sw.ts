/**
 * The service worker: the app opens without a network, and people are told while no page is open.
 *
 * Keeps the files of one build, and answers for them and for the app's own addresses; whatever else is asked for goes to
 * the server untouched. Knows no credential: a session's cookie is all there is while no page runs.
 */

import { deviceOf, keptDevice } from "../notifications/push-device.ts";
import { isAppRoute } from "./app-routes.ts";
import { keep, kept } from "./kept-files.ts";
import { readNotice, type Notice } from "./notice.ts";
import type { Activate, Looking, Open } from "./talk.ts";

declare const self: ServiceWorkerGlobalScope;
/** Put in by bundle/worker.ts. */
declare const __FILES__: readonly string[];
declare const __REVISION__: string;

const PREFIX = "amtrio-files-";
const OWN = PREFIX + __REVISION__;
const FILES = new Set(__FILES__);
// This one, the one whose pages may still be open, and one that was fetched and never became active.
const KEPT_BUILDS = 3;
// A page that is busy for longer is not one that somebody reads.
const ANSWER_WITHIN_MS = 500;

self.addEventListener("install", (event) => event.waitUntil(keepFiles()));

// Not before a page says so, or all are closed: pages of the build before go on with their own files until then.
self.addEventListener("message", (event) => {
  if ((event.data as Activate | null)?.type === "activate") void self.skipWaiting();
});

self.addEventListener("activate", (event) => event.waitUntil(dropOldBuilds().then(() => self.clients.claim())));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (isAppRoute(pathname)) event.respondWith(keptFile("/", request));
  } else if (FILES.has(pathname)) event.respondWith(keptFile(pathname, request));
  else if (pathname.startsWith("/assets/")) event.respondWith(fileOfAnyBuild(request));
  else if (pathname.startsWith("/emoji/")) event.respondWith(fetchedOnce(request));
});

self.addEventListener("push", (event) => {
  event.waitUntil(tell(readNotice(event.data?.text() ?? "")));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url = "/" } = (event.notification.data ?? {}) as { url?: string };
  event.waitUntil(open(url));
});

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAnew(event)));

// ------------------------------------------------------------------------------------------------------------ files

async function keepFiles(): Promise<void> {
  const cache = await caches.open(OWN);
  await Promise.all(
    __FILES__.map(async (path) => {
      const isHashed = path.startsWith("/assets/");
      const known = isHashed ? await caches.match(path) : undefined;
      const file = known ?? (await fetch(path, { cache: isHashed ? "default" : "no-cache" }));
      if (!file.ok) throw new Error(`${path}: ${file.status}`);
      await cache.put(path, file);
    }),
  );
}

async function dropOldBuilds(): Promise<void> {
  // In the order in which they were made.
  const builds = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== OWN);
  await Promise.all(builds.slice(0, 1 - KEPT_BUILDS).map((name) => caches.delete(name)));
}

async function keptFile(path: string, request: Request): Promise<Response> {
  return (await kept(path, OWN)) ?? fetch(request);
}

/** A page of the build before loads a part of itself. */
async function fileOfAnyBuild(request: Request): Promise<Response> {
  return (await kept(request.url)) ?? fetch(request);
}

async function fetchedOnce(request: Request): Promise<Response> {
  const known = await kept(request.url, OWN);
  if (known !== undefined) return known;
  const file = await fetch(request);
  if (file.ok) await keep(OWN, request.url, file.clone());
  return file;
}

// ---------------------------------------------------------------------------------------------------- notifications

async function tell(notice: Notice): Promise<void> {
  if (notice.unread !== undefined) await showBadge(notice.unread);
  if (notice.isWithdrawn || (await isSeen(notice))) {
    const shown = await self.registration.getNotifications({ tag: notice.tag });
    for (const each of shown) each.close();
    return;
  }
  const { title, body, tag, url } = notice;
  const options = {
    body,
    tag,
    // A newer message in place of an older one is news all the same. Unknown to the compiler's DOM, as are others.
    renotify: true,
    icon: "/icon-192.png",
    badge: "/badge-96.png",
    data: { url },
  };
  await self.registration.showNotification(title, options);
}

async function showBadge(unread: number): Promise<void> {
  if (!("setAppBadge" in navigator)) return;
  // Refused for pages that are not installed, which have no badge.
  await navigator.setAppBadge(unread).catch(() => {});
}

/** Whether somebody has that conversation before their eyes. */
async function isSeen({ conversationId }: Notice): Promise<boolean> {
  if (conversationId === undefined) return false;
  const focused = (await pages()).filter((page) => page.focused);
  const answers = await Promise.all(focused.map((page) => asked(page, { type: "looking", conversationId })));
  return answers.includes(true);
}

function asked(page: WindowClient, question: Looking): Promise<boolean> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data === true);
    setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
    page.postMessage(question, [port2]);
  });
}

async function open(url: string): Promise<void> {
  const all = await pages();
  const page = all.find(({ focused }) => focused) ?? all.find(({ visibilityState }) => visibilityState === "visible") ?? all[0];
  if (page === undefined) {
    await self.clients.openWindow(url);
    return;
  }
  const said: Open = { type: "open", url };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- its pages are of one's own origin
  page.postMessage(said);
  await page.focus();
}

/** Pages of the app, the one that was used last first. */
async function pages(): Promise<WindowClient[]> {
  const found = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return found.filter(({ url }) => isAppRoute(new URL(url).pathname));
}

/** The push service has ended a subscription; without another one this device would fall silent. */
async function subscribeAnew({ oldSubscription, newSubscription }: PushSubscriptionChangeEvent): Promise<void> {
  const device = await keptDevice();
  if (device === undefined) return;
  const applicationServerKey = oldSubscription?.options.applicationServerKey ?? device.publicKey;
  const subscription =
    newSubscription ?? (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
  const json = { "Content-Type": "application/json" };
  const session = await fetch("/auth/session", { method: "POST", headers: json, body: "{}" });
  if (!session.ok) return;
  const { token } = (await session.json()) as { token: string };
  await fetch("/push/devices", {
    method: "PUT",
    headers: { ...json, Authorization: `Bearer ${token}` },
    body: JSON.stringify(deviceOf(subscription, device.deviceId)),
  });
}
