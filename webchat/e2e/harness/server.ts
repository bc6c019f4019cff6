/**
 * A real server, as a process with a folder of its own, that serves the client as it was built.
 *
 * Knows the command line of `amtrio serve` and what it logs. Knows no browser.
 */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { WEBCHAT } from "./build.ts";
import { endsWithTests } from "./children.ts";

const PROGRAM = fileURLToPath(new URL("../../../.venv/bin/amtrio", import.meta.url));
export const ADMIN_SECRET = "the administrator of the browser tests";

export interface ServerOptions {
  /** Further settings, as environment variables: `{ REGISTRATION: "invitation" }`; `amtrio config` lists them. */
  readonly env?: Readonly<Record<string, string>>;
  /** False: nobody administers this server yet. */
  readonly hasAdministrator?: boolean;
}

export class Server {
  readonly folder: string;
  readonly #options: ServerOptions;
  /** What it logged, one JSON object a line. */
  readonly log: string[] = [];
  /** It was away at least once, so browsers rightly complain about lost connections. */
  wasAway = false;
  #port = 0;
  #process: ChildProcess | undefined;

  private constructor(folder: string, options: ServerOptions) {
    this.folder = folder;
    this.#options = options;
  }

  static async started(options: ServerOptions = {}): Promise<Server> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: say \`python3 deploy/install.py dev\``);
    const server = new Server(await mkdtemp(join(tmpdir(), "amtrio-e2e-")), options);
    try {
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Stays the same over restarts. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  /** Resolves when it listens; on the port it had before, if there was one. */
  async start(): Promise<void> {
    const flags = ["--host", "127.0.0.1", "--port", String(this.#port), "--data-dir", this.#data];
    const child = spawn(PROGRAM, ["serve", ...flags, "--log-format", "json"], {
      cwd: this.folder,
      env: this.#environment(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    this.#port = await this.#listening(child);
  }

  /** In order, as by SIGTERM. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** As in a crash. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Copy its data; only while it is away. */
  async keepCopy(): Promise<void> {
    await cp(this.#data, `${this.#data}-copy`, { recursive: true });
  }

  /** What has happened since the copy never did; only while it is away. */
  async bringBackCopy(): Promise<void> {
    await rm(this.#data, { recursive: true });
    await cp(`${this.#data}-copy`, this.#data, { recursive: true });
  }

  /** What a command of `amtrio` prints that works on the data of this server: `run("agent", "list")`. */
  run(...args: string[]): string {
    const flags = [...args, "--data-dir", this.#data];
    const options = { cwd: this.folder, env: this.#environment(), encoding: "utf8" } as const;
    return execFileSync(PROGRAM, flags, options).trim();
  }

  /** Change its data behind its back, also while it runs: when something was said, say. `?` stands for a value. */
  change(sql: string, ...values: (string | number)[]): void {
    const database = new DatabaseSync(join(this.#data, "amtrio.db"), { timeout: 5000 });
    try {
      database.prepare(sql).run(...values);
    } finally {
      database.close();
    }
  }

  /** Start another command of `amtrio`, such as an agent. */
  spawn(...args: string[]): ChildProcess {
    return spawn(PROGRAM, args, { cwd: this.folder, env: this.#environment(), stdio: ["ignore", "pipe", "inherit"] });
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.wasAway = true;
    if (child === undefined || !this.isRunning) return;
    const over = once(child, "exit");
    child.kill(signal);
    await over;
  }

  #environment(): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      // Agents keep their keys there.
      HOME: this.folder,
      LANG: "C.UTF-8",
      WEBCHAT_DIR: WEBCHAT,
      ADMIN_SECRET,
      // All tests sign up from one address.
      AUTH_RATE_LIMIT: "0",
      ...this.#options.env,
    };
  }

  async #listening(child: ChildProcess): Promise<number> {
    endsWithTests(child);
    const lines = createInterface({ input: child.stderr! });
    const from = this.log.length;
    return new Promise((resolve, reject) => {
      lines.on("line", (line) => {
        this.log.push(line);
        if (!line.includes('"server_started"')) return;
        const { addresses } = JSON.parse(line) as { addresses: [string, number][] };
        resolve(addresses[0]![1]);
      });
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`the server ended:\n${this.log.slice(from).join("\n")}`)));
    });
  }
}
