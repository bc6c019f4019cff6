/**
 * Being told while no page is open: whether this browser can, does, and is asked to.
 *
 * Knows the browser's push service and the routes of devices. What a push becomes is the service worker's.
 * Source: docs/protocol.md, "Push".
 */

import { newClientId, type Rest } from "@amtrio/client";
import { tagOf } from "../worker/notice.ts";
import { deviceOf, forgetDevice, keepDevice, keptDevice } from "./push-device.ts";

/** `install`: only once the app is on the home screen (iOS). `denied`: the browser's own settings say no. */
export type PushState = "unsupported" | "install" | "denied" | "off" | "on";

export async function pushState(): Promise<PushState> {
  const missing = whatIsMissing();
  if (missing !== undefined) return missing;
  if (Notification.permission === "denied") return "denied";
  if (Notification.permission !== "granted") return "off";
  const isOn = (await keptDevice()) !== undefined && (await subscription()) !== null;
  return isOn ? "on" : "off";
}

/**
 * Ask the person and the browser's push service, and tell the server. Call it from a click.
 *
 * @throws ClientError - the server could not be reached. DOMException - the push service could not.
 */
export async function enablePush(rest: Rest): Promise<PushState> {
  const missing = whatIsMissing();
  if (missing !== undefined) return missing;
  if ((await Notification.requestPermission()) !== "granted") return pushState();
  await register(rest, (await keptDevice())?.deviceId ?? newClientId());
  return pushState();
}

/** Not on this device any more. */
export async function disablePush(rest: Rest): Promise<void> {
  const device = await keptDevice();
  // First of all the browser: then nothing comes any more, whether or not the server can be told.
  await (await subscription())?.unsubscribe();
  await forgetDevice();
  if (device === undefined) return;
  const all = await rest.call<{ id: string; device_id: string | null }[]>("GET", "/push/devices");
  const own = all.filter(({ device_id }) => device_id === device.deviceId);
  await Promise.all(own.map(({ id }) => rest.call("DELETE", `/push/devices/${encodeURIComponent(id)}`)));
}

/** After signing in, and at each start: a device belongs to the login that registered it, and servers change keys. */
export async function refreshPush(rest: Rest): Promise<void> {
  if ((await pushState()) !== "on") return;
  const device = await keptDevice();
  if (device !== undefined) await register(rest, device.deviceId);
}

/** Before signing out. Never fails: who leaves while the server is away leaves all the same. */
export async function dropPush(rest: Rest): Promise<void> {
  if (whatIsMissing() !== undefined) return;
  await disablePush(rest).catch(() => {});
  await closeNotices();
}

/** Take away what is shown of a conversation, or all of it: it has been read. */
export async function closeNotices(conversationId?: string): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration === undefined || !("getNotifications" in registration)) return;
  const filter = conversationId === undefined ? {} : { tag: tagOf(conversationId) };
  for (const notice of await registration.getNotifications(filter)) notice.close();
}

async function register(rest: Rest, deviceId: string): Promise<void> {
  const { public_key: publicKey } = await rest.call<{ public_key: string }>("GET", "/push/vapid-key");
  const made = await subscribed(publicKey);
  await rest.call("PUT", "/push/devices", { body: deviceOf(made, deviceId) });
  await keepDevice({ deviceId, publicKey });
}

async function subscribed(publicKey: string): Promise<PushSubscription> {
  const { pushManager } = await navigator.serviceWorker.ready;
  const existing = await pushManager.getSubscription();
  if (existing !== null) {
    const key = existing.options.applicationServerKey;
    if (key !== null && base64url(new Uint8Array(key)) === publicKey.replace(/=+$/, "")) return existing;
    await existing.unsubscribe();
  }
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
}

async function subscription(): Promise<PushSubscription | null> {
  // Not `ready`: that waits for ever where no worker is registered.
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

function whatIsMissing(): "unsupported" | "install" | undefined {
  const isThere = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
  if (isThere) return undefined;
  // Says false in a tab of Safari on iOS, and is unknown to all others.
  return (navigator as { standalone?: boolean }).standalone === false ? "install" : "unsupported";
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
