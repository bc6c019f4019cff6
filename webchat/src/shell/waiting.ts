/** How many own messages are not on the server yet, in all conversations. Refused ones do not wait. */

import type { Outgoing } from "../engine/state.ts";

export function waitingCount(outgoing: Readonly<Record<string, readonly Outgoing[]>>): number {
  let count = 0;
  for (const messages of Object.values(outgoing)) {
    for (const { state } of messages) if (state !== "failed") count += 1;
  }
  return count;
}
