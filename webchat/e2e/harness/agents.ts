/** The agents of one test: programs of their own, or played by the test. They leave with it. */

import type { ChildProcess } from "node:child_process";
import type { AgentInfo } from "@amtrio/client";
import type { Admin } from "./admin.ts";
import { endsWithTests } from "./children.ts";
import type { People } from "./person.ts";
import { ScriptedAgent } from "./scripted-agent.ts";
import type { Server } from "./server.ts";

export interface DemoAgent {
  readonly id: string;
  /** End its process, as in a crash. */
  kill(): void;
}

// Of all tests of this process: a server gives no id twice, not even that of an agent which was removed.
let count = 0;

export class Agents {
  readonly #server: Server;
  readonly #admin: Admin;
  readonly #people: People;
  readonly #ids: string[] = [];
  readonly #scripted: ScriptedAgent[] = [];
  readonly #programs: ChildProcess[] = [];

  constructor(server: Server, admin: Admin, people: People) {
    this.#server = server;
    this.#admin = admin;
    this.#people = people;
  }

  /** An agent that does what the test says. What people see is `name`; its id is made of that. */
  async scripted(name: string, card: Partial<AgentInfo> = {}): Promise<ScriptedAgent> {
    const { id, token } = await this.registered(name);
    const introduce = (userId: string): Promise<unknown> => this.#people.rest(userId).createConversation(id);
    const agent = await ScriptedAgent.connected({ url: this.#server.url, id, token }, { name, ...card }, introduce);
    this.#scripted.push(agent);
    return agent;
  }

  /** `amtrio demo-agent` as a process of its own; `pace` 0 answers at once, 1 as fast as one reads. */
  async demo(name = "Demo", pace = 0.2): Promise<DemoAgent> {
    const { id, token } = await this.registered(name);
    const flags = ["--url", this.#server.url, "--agent-id", id, "--token", token, "--pace", String(pace)];
    const program = this.#server.spawn("demo-agent", ...flags);
    this.#programs.push(program);
    program.stdout!.resume();
    endsWithTests(program);
    while (!(await this.#admin.isOnline(id))) {
      if (program.exitCode !== null) throw new Error("the demo agent ended before it was online");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { id, kill: () => void program.kill("SIGKILL") };
  }

  /** An agent that exists and is away. */
  async registered(name: string): Promise<{ id: string; token: string }> {
    const id = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}-${(count += 1)}`;
    const token = await this.#admin.addAgent(id, { name });
    this.#ids.push(id);
    return { id, token };
  }

  /** So that the next test on this server does not see them. */
  async leave(): Promise<void> {
    for (const program of this.#programs) program.kill("SIGKILL");
    await Promise.all(this.#scripted.map((agent) => agent.close()));
    // One that a test has ended takes its agents along.
    if (!this.#server.isRunning) return;
    for (const id of this.#ids) await this.#admin.removeAgent(id);
  }
}
