/** The ways in which what is written can leave, the usual one first; the choice between two is remembered here. */

import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";

export type Way = "send" | "save" | "answer" | "steer" | "queue";
type Choice = "steer" | "queue";

const KEY = "amtrio.whileRunning";
const preferred = createStore<{ readonly choice: Choice | undefined }>(() => ({ choice: undefined }));

function stored(): Choice {
  return localStorage.getItem(KEY) === "queue" ? "queue" : "steer";
}

export function prefer(choice: Choice): void {
  localStorage.setItem(KEY, choice);
  preferred.setState({ choice });
}

export function usePreferred(): Choice {
  return useStore(preferred, ({ choice }) => choice ?? stored());
}

export interface Situation {
  readonly isEditing: boolean;
  /** A question of the agent waits for words, and gets them. */
  readonly isAnswering: boolean;
  readonly isRunning: boolean;
  readonly supports: readonly string[];
  /** It carries more than text: files, or whom it answers. What is said into a run is text alone. */
  readonly isMoreThanText: boolean;
  readonly isEncrypted: boolean;
}

export function waysFor(situation: Situation, choice: Choice): readonly [Way, Way?] {
  const { isEditing, isAnswering, isRunning, supports, isMoreThanText, isEncrypted } = situation;
  if (isEditing) return ["save"];
  // Answers are text alone, and go in the clear.
  if (isAnswering && !isMoreThanText && !isEncrypted) return ["answer"];
  if (!isRunning) return ["send"];
  // Steering would go in the clear.
  if (supports.includes("steer") && !isMoreThanText && !isEncrypted) {
    return choice === "steer" ? ["steer", "queue"] : ["queue", "steer"];
  }
  return supports.includes("queue") ? ["queue"] : ["send"];
}
