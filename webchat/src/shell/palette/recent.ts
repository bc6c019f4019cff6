/** What somebody chose in the palette lately, newest first; kept on this device until they sign out. */

import { keepOwnItem, ownItem } from "../../engine/own-items.ts";

const KEY = "palette.recent";
const KEPT = 8;

export function recent(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(ownItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

export function remember(id: string): void {
  const ids = [id, ...recent().filter((each) => each !== id)].slice(0, KEPT);
  keepOwnItem(KEY, JSON.stringify(ids));
}
