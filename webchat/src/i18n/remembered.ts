/** Choices that this device remembers; where the browser lets nothing be kept, they hold for this page. */

const here = new Map<string, string>();

/** Null: nothing was chosen. */
export function remembered(key: string): string | null {
  const chosen = here.get(key);
  if (chosen !== undefined) return chosen === "" ? null : chosen;
  try {
    return localStorage.getItem(key);
  } catch {
    // With site data blocked even looking is refused.
    return null;
  }
}

/** Null: as if nothing had been chosen. */
export function remember(key: string, choice: string | null): void {
  try {
    if (choice === null) localStorage.removeItem(key);
    else localStorage.setItem(key, choice);
    here.delete(key);
  } catch {
    here.set(key, choice ?? "");
  }
}
