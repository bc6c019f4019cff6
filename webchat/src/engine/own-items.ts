/**
 * Small things that views keep of a person on this device, beside the database: each person has their own, and they are
 * gone when that person signs out. What belongs to the device, such as its colours, is not for here.
 */

import { chat } from "./state.ts";

const PREFIX = "amtrio.own.";

/** Null, too, if nobody is signed in. */
export function ownItem(name: string): string | null {
  const { self } = chat.getState();
  return self ? localStorage.getItem(keyOf(self.userId, name)) : null;
}

export function keepOwnItem(name: string, value: string): void {
  const { self } = chat.getState();
  if (self) localStorage.setItem(keyOf(self.userId, name), value);
}

export function forgetOwnItems(userId: string): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(keyOf(userId, ""))) localStorage.removeItem(key);
}

function keyOf(userId: string, name: string): string {
  return `${PREFIX}${userId}.${name}`;
}
