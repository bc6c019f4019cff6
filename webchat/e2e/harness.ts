/**
 * What every test in a browser is given: a real server, people, agents, and a watch for what must not happen.
 *
 *     import { axe, expect, test } from "./harness.ts";
 *
 *     test("an answer is shown while it is said", async ({ person, agents }) => { … });
 *
 * README.md beside it says what there is.
 */

import { test as base, type BrowserContext, type BrowserContextOptions } from "@playwright/test";
import { Admin } from "./harness/admin.ts";
import { Agents } from "./harness/agents.ts";
import { People, type Person } from "./harness/person.ts";
import { Server, type ServerOptions } from "./harness/server.ts";
import { Watch } from "./harness/watch.ts";

export { expect } from "@playwright/test";
export type { BrowserContext, Locator, Page } from "@playwright/test";
export { axe, gapToEnd, historySettled, screenshots } from "./harness/looks.ts";
export { PASSWORD, signIn, type Person } from "./harness/person.ts";
export type { Agents, DemoAgent } from "./harness/agents.ts";
export type { ScriptedAgent } from "./harness/scripted-agent.ts";
export type { ScriptedRun } from "./harness/scripted-run.ts";
export type { Server, ServerOptions } from "./harness/server.ts";

interface ForTest {
  /** Of this test alone: it may be killed, or set up in another way. Set by `test.use({ ownServer: … })`. */
  ownServer: boolean | ServerOptions;
  server: Server;
  admin: Admin;
  agents: Agents;
  /** Somebody with an account and a browser of their own. */
  person: (name: string, options?: BrowserContextOptions) => Promise<Person>;
  /** A browser of nobody yet. */
  browserOf: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** `allow(/401/)`: an error that this test makes happen on purpose. */
  allow: (...patterns: RegExp[]) => void;
  people: People;
  watch: Watch;
}

interface ForWorker {
  sharedServer: Server;
}

export const test = base.extend<ForTest, ForWorker>({
  ownServer: [false, { option: true }],

  sharedServer: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads from the pattern what a fixture needs
    async ({}, give) => {
      const server = await opened({});
      await give(server);
      await server.remove();
    },
    { scope: "worker", timeout: 60_000 },
  ],

  server: async ({ ownServer, sharedServer }, give, info) => {
    const server = ownServer === false ? sharedServer : await opened(ownServer === true ? {} : ownServer);
    const from = server.log.length;
    await give(server);
    if (info.status !== info.expectedStatus) {
      await info.attach("server.log", { body: server.log.slice(from).join("\n"), contentType: "text/plain" });
    }
    const left = server === sharedServer && server.wasAway;
    if (server !== sharedServer) await server.remove();
    if (left) throw new Error("this test ended the server of all; it needs test.use({ ownServer: true })");
  },

  baseURL: async ({ server }, give) => give(server.url),

  watch: [
    async ({ browser, server }, give) => {
      const watch = new Watch();
      watch.trust(server.url);
      const end = watch.begin(browser);
      await give(watch);
      end();
      const faults = watch.faults(server.wasAway);
      if (faults.length > 0) throw new Error(`nobody allowed that:\n${faults.join("\n")}`);
    },
    { auto: true },
  ],

  allow: async ({ watch }, give) => give((...patterns) => watch.allow(...patterns)),

  admin: async ({ server }, give) => give(new Admin(server)),

  agents: async ({ server, admin, people }, give) => {
    const agents = new Agents(server, admin, people);
    await give(agents);
    // People go first: what they look at goes with the agents.
    await people.leave();
    await agents.leave();
  },

  people: async ({ server, browser, watch, serviceWorkers }, give) => {
    const people = new People(server, browser, watch, serviceWorkers);
    await give(people);
    await people.leave();
  },

  person: async ({ people }, give) => give((name, options) => people.join(name, options)),

  browserOf: async ({ people }, give) => give((options) => people.open(options)),
});

async function opened(options: ServerOptions): Promise<Server> {
  const server = await Server.started(options);
  if (options.hasAdministrator === false) return server;
  await Admin.first(server);
  return server;
}
