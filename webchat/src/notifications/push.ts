/** Whether this browser is woken by the server while no page is open. */

import type { Rest } from "@amtrio/client";

export type PushState = "unsupported" | "denied" | "off" | "on";

export async function pushState(): Promise<PushState> {
  return "unsupported";
}

export async function enablePush(rest: Rest): Promise<void> {
  await rest.call("GET", "/push/vapid-key");
}

export async function disablePush(rest: Rest): Promise<void> {
  await rest.call("GET", "/push/devices");
}
