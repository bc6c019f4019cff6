/**
 * The agent that was made last and has not come yet.
 *
 * Outlives the view that made it, which goes when a phone is turned: its credential is shown only once, but that long.
 */

import { createStore } from "zustand/vanilla";
import type { NewAgent } from "./new-agent-form.tsx";

interface LastMade {
  readonly agent: NewAgent | undefined;
  /** The user id of who made it; nobody else sees it. */
  readonly by: string | undefined;
}

export const lastMade = createStore<LastMade>(() => ({ agent: undefined, by: undefined }));

/** It has come: whoever needed the credential has it. */
export function forgetLastMade(): void {
  lastMade.setState({ agent: undefined, by: undefined });
}
