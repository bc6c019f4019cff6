/**
 * A browser as a device that the server can wake, and what is remembered of it.
 *
 * Used by pages and by the service worker, which reads no localStorage; so it is kept where both can reach it.
 */

const CACHE = "amtrio-push";
const KEY = "/push-device";
// Its browsers end a subscription whose pushes show nothing, so nothing can be taken back there.
const ALWAYS_SHOWN = /\.push\.apple\.com$/;

export interface KeptDevice {
  /** The app's own name for this browser: another address of it takes the place of the old one. */
  readonly deviceId: string;
  /** Of the server, with which it was subscribed. */
  readonly publicKey: string;
}

/** What `PUT /push/devices` takes. */
export interface WebDevice {
  readonly platform: "web";
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
  readonly device_id: string;
  readonly can_withdraw: boolean;
}

export function deviceOf(subscription: PushSubscription, deviceId: string): WebDevice {
  const { endpoint, keys } = subscription.toJSON();
  const { p256dh, auth } = keys ?? {};
  if (endpoint === undefined || p256dh === undefined || auth === undefined) {
    throw new Error("the browser made a subscription without an address or keys");
  }
  const can_withdraw = !ALWAYS_SHOWN.test(new URL(endpoint).hostname);
  return { platform: "web", endpoint, keys: { p256dh, auth }, device_id: deviceId, can_withdraw };
}

export async function keptDevice(): Promise<KeptDevice | undefined> {
  const kept = await (await caches.open(CACHE)).match(KEY);
  return kept === undefined ? undefined : ((await kept.json()) as KeptDevice);
}

export async function keepDevice(device: KeptDevice): Promise<void> {
  await (await caches.open(CACHE)).put(KEY, new Response(JSON.stringify(device)));
}

export async function forgetDevice(): Promise<void> {
  await caches.delete(CACHE);
}
