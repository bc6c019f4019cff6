/** A person with an account, and what they sit in front of. */

import type { Browser, BrowserContext, BrowserContextOptions, Page } from "@playwright/test";
import { connect, Rest, type Connection } from "@amtrio/client";
import { expect } from "@playwright/test";
import type { Server } from "./server.ts";

export const PASSWORD = "correct horse battery staple";

export interface Person {
  readonly username: string;
  readonly password: string;
  readonly userId: string;
  /** A browser of their own, nothing loaded yet. */
  readonly context: BrowserContext;
  readonly page: Page;
  /** The same account by REST. */
  readonly rest: Rest;
  /** Open the app in `page` and sign in by its form. */
  signIn(): Promise<Page>;
  /** Another tab of the same browser. */
  tab(): Promise<Page>;
  /** Another browser, signed in as well: a phone beside the desktop. */
  device(options?: BrowserContextOptions): Promise<Page>;
  /** A connection of the SDK, for what another device does. Closed with the test. */
  connect(): Connection;
}

export class People {
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  readonly #connections: Connection[] = [];

  constructor(server: Server, browser: Browser) {
    this.#server = server;
    this.#browser = browser;
  }

  /** Signs up by REST. `name` begins the username; the rest of it keeps it apart from those of other tests. */
  async join(name: string, options: BrowserContextOptions = {}): Promise<Person> {
    const username = `${name.toLowerCase()}_${crypto.randomUUID().slice(0, 6)}`;
    const rest = new Rest({ url: this.#server.url });
    const { user_id: userId } = await rest.register(username, PASSWORD);
    const who = { username, password: PASSWORD };
    const context = await this.open(options);
    const page = await context.newPage();
    return {
      ...who,
      userId,
      context,
      page,
      rest,
      signIn: () => signIn(page, who),
      tab: () => context.newPage(),
      device: async (other = {}) => signIn(await (await this.open(other)).newPage(), who),
      connect: () => {
        const connection = connect({ url: this.#server.url, token: rest.token!, hints: null, random: () => 0 });
        this.#connections.push(connection);
        return connection;
      },
    };
  }

  /** A browser of nobody yet. */
  async open(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext(options);
    this.#contexts.push(context);
    return context;
  }

  async leave(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await Promise.all(this.#contexts.map((context) => context.close()));
  }
}

/** Open the app and sign in by its form. */
export async function signIn(page: Page, who: { username: string; password: string }): Promise<Page> {
  await page.goto("/");
  await page.getByLabel("Username", { exact: true }).fill(who.username);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByLabel("Password", { exact: true })).toBeHidden();
  return page;
}
