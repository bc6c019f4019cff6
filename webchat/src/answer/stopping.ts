/** How the stopping of an answer stands. */

import type { ChatState } from "../engine/state.ts";

/** It was asked for, and the agent has not had its time yet. */
export function isBeingStopped(state: ChatState["stopping"][string] | undefined): boolean {
  return state === "sent" || state === "acknowledged";
}
