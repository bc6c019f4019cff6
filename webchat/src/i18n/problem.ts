/** What went wrong, in words for people. What the server says about it stays as it says it. */

import { Unreachable } from "@amtrio/client";
import { StorageRefused } from "../engine/device-storage.ts";
import { problemWords } from "./problem-words.ts";
import { sayNow } from "./words.ts";

export function problemOf(error: unknown): string {
  // Its text is for developers, and names a route.
  if (error instanceof Unreachable) return sayNow(problemWords, "unreachable");
  if (error instanceof StorageRefused) return sayNow(problemWords, "nothingKept");
  return error instanceof Error ? error.message : String(error);
}
