/** When the account is not to be woken on any device: asked of the server, remembered for when there is none. */

import type { Rest } from "@amtrio/client";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { NEVER_QUIET, type QuietPreferences } from "./quiet-hours.ts";

const KEY = "amtrio.quiet";
const PATH = "/notifications/preferences";

const quiet = createStore<QuietPreferences>(() => NEVER_QUIET);

export function quietPreferences(): QuietPreferences {
  return quiet.getState();
}

export function useQuietPreferences(): QuietPreferences {
  return useStore(quiet);
}

/** What this device heard last. */
export function recallQuiet(): void {
  try {
    quiet.setState({ ...NEVER_QUIET, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") });
  } catch {
    localStorage.removeItem(KEY);
  }
}

export async function askQuiet(rest: Rest): Promise<void> {
  keepQuiet(await rest.call<Partial<QuietPreferences>>("GET", PATH));
}

/** What is left out stays. */
export async function changeQuiet(rest: Rest, changes: Partial<QuietPreferences>): Promise<void> {
  keepQuiet(await rest.call<Partial<QuietPreferences>>("PUT", PATH, { body: changes }));
}

/** What was told. */
export function keepQuiet({ muted_until = null, quiet_from = null, quiet_to = null, time_zone = null }: Partial<QuietPreferences>): void {
  const told = { muted_until, quiet_from, quiet_to, time_zone };
  quiet.setState(told);
  localStorage.setItem(KEY, JSON.stringify(told));
}
