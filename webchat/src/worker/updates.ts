/** What people notice of new versions: an offer to load one; and a page that mends itself when its files are gone. */

import { navigate } from "wouter/use-browser-location";
import { navigateBehind } from "../design/back.ts";
import { notify } from "../design/toast.tsx";
import { sayNow } from "../i18n/words.ts";
import { registerWorker } from "./register.ts";
import { words } from "./words.ts";

const KEY = "amtrio.reloaded";
// A page that was loaded anew that lately and still lacks a file would lack it again.
const NOT_AGAIN_WITHIN_MS = 60_000;
const FOR_EVER_MS = 2 ** 31 - 1;

/** At the start of the page. */
export function startWorker(): void {
  reloadWhenFilesAreGone();
  if (!import.meta.env.PROD) return;
  let takeAway = (): void => {};
  const onUpdate = (load: () => void): void => {
    takeAway();
    const action = { label: sayNow(words, "load"), run: load };
    takeAway = notify({ text: sayNow(words, "newVersion"), action, forMs: FOR_EVER_MS });
  };
  // Without one the app works all the same; storage that is full or forbidden is no reason to bother anybody.
  registerWorker({ onUpdate, onOpen: (url) => navigateBehind(navigate, url) }).catch(() => {});
}

/** A part of an older version is asked for, which the server does not have any more. What is written is kept. */
function reloadWhenFilesAreGone(): void {
  // The error goes on to whoever asked for the part and says so, until the page is gone.
  addEventListener("vite:preloadError", () => void reloadOnce());
}

async function reloadOnce(): Promise<void> {
  if (Date.now() - Number(sessionStorage.getItem(KEY) ?? 0) < NOT_AGAIN_WITHIN_MS) return;
  // A server that is away has nothing newer, and a page that leaves could not come back.
  const answer = await fetch("/", { method: "HEAD", cache: "no-store" }).catch(() => undefined);
  if (answer?.ok !== true) return;
  sessionStorage.setItem(KEY, String(Date.now()));
  location.reload();
}
