/** Programs that the tests start: none of them outlives the tests, however these end. */

import type { ChildProcess } from "node:child_process";

const running = new Map<ChildProcess, () => void>();

process.once("exit", () => {
  for (const end of running.values()) end();
});

/** `end` is called when the tests end before `child` does. */
export function endsWithTests(child: ChildProcess, end: () => void = () => child.kill("SIGKILL")): void {
  running.set(child, end);
  child.once("exit", () => running.delete(child));
}
