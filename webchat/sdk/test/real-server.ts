/**
 * A real server in a folder of its own that goes with it, and two demo agents: `demo` lives and dies with the server,
 * `apart` is a program of its own.
 */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "../../../.venv/bin/amtrio");

/** False where the server's own environment was not made: `python3 deploy/install.py dev`. */
export const hasServer = existsSync(PROGRAM);

export class RealServer {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #agent: ChildProcess | undefined;
  #said = "";

  private constructor(port: number, folder: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#folder = folder;
  }

  static async started(): Promise<RealServer> {
    const server = new RealServer(await freePort(), await mkdtemp(join(tmpdir(), "amtrio-sdk-")));
    const token = server.addAgent("apart");
    await server.start();
    const keys = join(server.#folder, "apart.keys");
    const flags = ["--url", server.url, "--agent-id", "apart", "--token", token, "--keys", keys];
    server.#agent = spawn(PROGRAM, ["demo-agent", ...flags], { cwd: server.#folder, stdio: "ignore" });
    return server;
  }

  /** Returns its credential. */
  addAgent(agentId: string): string {
    const flags = ["agent", "add", agentId, "--data-dir", this.#folder];
    return String(execFileSync(PROGRAM, flags, { stdio: ["ignore", "pipe", "ignore"] })).trim();
  }

  async start(): Promise<void> {
    const flags = ["--demo", "--host", "127.0.0.1", "--port", String(this.#port), "--data-dir", this.#folder];
    const child = spawn(PROGRAM, ["serve", ...flags], { cwd: this.#folder, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (this.#said += String(chunk)));
    while (!(await isHealthy(this.#port))) {
      if (child.exitCode !== null) throw new Error(`the server did not start:\n${this.#said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** `SIGTERM`: in order. `SIGKILL`: as in a crash. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, "exit");
    child.kill(signal);
    await over;
  }

  async remove(): Promise<void> {
    this.#agent?.kill("SIGKILL");
    await this.stop("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Not by `fetch`, which in the tests of a page reports every refused connection. */
async function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get({ host: "127.0.0.1", port, path: "/health" }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on("error", () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
