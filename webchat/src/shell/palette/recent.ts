/** What was chosen in the palette lately, newest first; kept on this device. */

const KEY = "amtrio.palette.recent";
const KEPT = 8;

export function recent(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

export function remember(id: string): void {
  const ids = [id, ...recent().filter((each) => each !== id)].slice(0, KEPT);
  localStorage.setItem(KEY, JSON.stringify(ids));
}
