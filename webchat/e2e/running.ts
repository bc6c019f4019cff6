/** What a page shows for a terminal, in a terminal: programs that a person would start themselves. */

import { spawn, type ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endsWithTests } from "./harness/children.ts";
import type { Server } from "./harness.ts";

const PROGRAMS = fileURLToPath(new URL("../../.venv/bin", import.meta.url));

export interface Running {
  /** With whatever it has started. */
  end(): void;
}

/** Lines of a shell that knows the command `amtrio`. */
export function runInShell(lines: string, server: Server): Running {
  return running("bash", ["-c", lines], server);
}

/** A file of Python, in an environment in which amtrio is installed. */
export async function runInPython(file: string, server: Server): Promise<Running> {
  const path = join(server.folder, `agent-${crypto.randomUUID().slice(0, 8)}.py`);
  await writeFile(path, file);
  return running("python", [path], server);
}

function running(program: string, args: string[], server: Server): Running {
  const env = { PATH: `${PROGRAMS}:${process.env["PATH"]}`, HOME: server.folder, LANG: "C.UTF-8" };
  // A process group of its own, so that its end is that of all in it.
  const child = spawn(program, args, { cwd: server.folder, env, detached: true, stdio: "ignore" });
  const end = (): void => endGroup(child);
  endsWithTests(child, end);
  return { end };
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It is over already.
  }
}
