/**
 * The page's side of the service worker: registering it, noticing a new version, hearing of clicked notifications.
 *
 * Knows no view: what is offered to the person stands in `updates.ts`.
 */

import { conversationAt } from "../shell/places.ts";
import type { Activate, ToPage } from "./talk.ts";

export interface WorkerListener {
  /** There is a newer version; `load` takes it, and loads the page anew. */
  onUpdate(load: () => void): void;
  /** Somebody clicked a notification: show this address. */
  onOpen(url: string): void;
}

// Browsers look by themselves when a page is loaded; an app that stays open for days is never loaded.
const LOOK_EVERY_MS = 3_600_000;

/** Does nothing where there are no service workers, such as on http in a home network. */
export async function registerWorker(listener: WorkerListener): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  serviceWorker.addEventListener("message", (event: MessageEvent<ToPage>) => heard(event, listener));
  const registration = await serviceWorker.register(script("/sw.js"), { updateViaCache: "none" });
  watchForUpdates(registration, listener);
  lookForUpdates(registration);
}

function watchForUpdates(registration: ServiceWorkerRegistration, { onUpdate }: WorkerListener): void {
  let isAsked = false;
  let isControlled = navigator.serviceWorker.controller !== null;
  const offer = (waiting: ServiceWorker): void =>
    onUpdate(() => {
      isAsked = true;
      const activate: Activate = { type: "activate" };
      // One that was replaced while it waited never becomes active.
      if (waiting.state === "redundant") location.reload();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker is of one's own origin
      else waiting.postMessage(activate);
    });
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (isAsked) location.reload();
    // Another tab took it. This one goes on with the files it has.
    else if (isControlled) onUpdate(() => location.reload());
    // The first worker that there is, of this very version.
    isControlled = true;
  });
  if (registration.waiting !== null) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const { installing } = registration;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed" && registration.active !== null) offer(installing);
    });
  });
}

function lookForUpdates(registration: ServiceWorkerRegistration): void {
  let lookedAt = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || Date.now() - lookedAt < LOOK_EVERY_MS) return;
    lookedAt = Date.now();
    // Offline, or the server is away: it will be looked at again.
    registration.update().catch(() => {});
  });
}

function heard({ data, ports }: MessageEvent<ToPage>, { onOpen }: WorkerListener): void {
  if (data.type === "open") onOpen(data.url);
  else if (data.type === "looking") {
    const isLooked = document.hasFocus() && conversationAt(location.pathname) === data.conversationId;
    ports[0]?.postMessage(isLooked);
  }
}

interface ScriptPolicy {
  createScriptURL(url: string): string;
}

/** Under `require-trusted-types-for 'script'` a plain address is refused; the policy of the server names this one. */
function script(url: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy };
  };
  // Only this address ever: the policy is made anew for each, and a second one of its name is refused.
  return trustedTypes?.createPolicy("sw", { createScriptURL: () => url }).createScriptURL(url) ?? url;
}
