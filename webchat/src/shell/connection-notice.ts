/** What people are told about the connection: nothing as long as there is nothing that they would notice. */

import { useEffect, useState, useSyncExternalStore } from "react";
import { useChat, type Link } from "../engine/state.ts";

// Most sockets are back before this, and a banner that flashes worries more than it tells.
const PATIENCE_MS = 2000;
const BACK_MS = 2000;
const TICK_MS = 500;

export type Notice =
  | { readonly kind: "none" }
  /** The first try takes long. */
  | { readonly kind: "connecting" }
  /** `inSeconds` until the next try; 0: it is being tried. `isDevice`: the browser itself says that it has no network. */
  | { readonly kind: "offline"; readonly isDevice: boolean; readonly inSeconds: number }
  /** For a moment, after something was said. */
  | { readonly kind: "back" };

export interface Times {
  /** Since when there is no connection; undefined while there is one. Milliseconds since 1970, as all here. */
  readonly downAt: number | undefined;
  /** When it came back after people had been told. */
  readonly backAt: number | undefined;
  /** The browser has lost its network meanwhile, which is said at once. */
  readonly hasLostNetwork: boolean;
}

export function noticeOf(link: Link, hasNetwork: boolean, { downAt, backAt, hasLostNetwork }: Times, now: number): Notice {
  if (link.kind === "online") {
    return backAt !== undefined && now - backAt < BACK_MS ? { kind: "back" } : { kind: "none" };
  }
  if (hasNetwork && !hasLostNetwork && (downAt === undefined || now - downAt < PATIENCE_MS)) return { kind: "none" };
  if (link.kind === "connecting" && hasNetwork) return { kind: "connecting" };
  const retryAt = link.kind === "offline" ? link.retryAt : now;
  return { kind: "offline", isDevice: !hasNetwork, inSeconds: Math.max(0, Math.ceil((retryAt - now) / 1000)) };
}

/** What is known after the connection or the network came or went. */
export function timesAfter(before: Times, isOnline: boolean, hasNetwork: boolean, now: number): Times {
  const { downAt, hasLostNetwork } = before;
  if (!isOnline) {
    const hasLost = hasLostNetwork || !hasNetwork;
    if (downAt !== undefined && hasLost === hasLostNetwork) return before;
    return { downAt: downAt ?? now, backAt: undefined, hasLostNetwork: hasLost };
  }
  if (downAt === undefined) return before;
  const wasTold = hasLostNetwork || now - downAt >= PATIENCE_MS;
  return { downAt: undefined, backAt: wasTold ? now : undefined, hasLostNetwork: false };
}

export function useConnectionNotice(): Notice {
  const link = useChat((state) => state.link);
  const hasNetwork = useSyncExternalStore(listenToNetwork, () => navigator.onLine);
  const isOnline = link.kind === "online";
  const [now, setNow] = useState(() => Date.now());
  const [times, setTimes] = useState<Times>(() => ({
    downAt: isOnline ? undefined : Date.now(),
    backAt: undefined,
    hasLostNetwork: false,
  }));
  useEffect(() => {
    setNow(Date.now());
    setTimes((before) => timesAfter(before, isOnline, hasNetwork, Date.now()));
  }, [isOnline, hasNetwork]);
  const isQuiet = isOnline && (times.backAt === undefined || now - times.backAt >= BACK_MS);
  useEffect(() => {
    if (isQuiet) return undefined;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [isQuiet]);
  return noticeOf(link, hasNetwork, times, now);
}

function listenToNetwork(changed: () => void): () => void {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
}
