/** When the account is not to be woken on any device: asked of the server, remembered for when there is none. */

import type { Rest } from "@amtrio/client";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { NEVER_QUIET, type QuietPreferences } from "./quiet-hours.ts";

const KEY = "amtrio.quiet";
const PATH = "/notifications/preferences";

/** Whose they are. */
let owner: string | undefined;
const quiet = createStore<QuietPreferences>(() => NEVER_QUIET);

export function quietPreferences(): QuietPreferences {
  return quiet.getState();
}

export function useQuietPreferences(): QuietPreferences {
  return useStore(quiet);
}

/** What this device heard last of this account. */
export function recallQuiet(userId: string | undefined): void {
  owner = userId;
  quiet.setState(NEVER_QUIET);
  try {
    const { user_id: whose, ...kept } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (whose === userId) quiet.setState(kept);
  } catch {
    localStorage.removeItem(KEY);
  }
}

/** Its person leaves. */
export function forgetQuiet(): void {
  owner = undefined;
  quiet.setState(NEVER_QUIET);
  localStorage.removeItem(KEY);
}

export async function askQuiet(rest: Rest): Promise<void> {
  const asker = owner;
  const told = await rest.call<Partial<QuietPreferences>>("GET", PATH);
  if (asker === owner) keepQuiet(told);
}

/** What is left out stays. */
export async function changeQuiet(rest: Rest, changes: Partial<QuietPreferences>): Promise<void> {
  const asker = owner;
  const told = await rest.call<Partial<QuietPreferences>>("PUT", PATH, { body: changes });
  if (asker === owner) keepQuiet(told);
}

/** What was told. */
export function keepQuiet({ muted_until = null, quiet_from = null, quiet_to = null, time_zone = null }: Partial<QuietPreferences>): void {
  const told = { muted_until, quiet_from, quiet_to, time_zone };
  quiet.setState(told);
  localStorage.setItem(KEY, JSON.stringify({ user_id: owner, ...told }));
}
