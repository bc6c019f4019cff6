/**
 * The app without its face: who is signed in, in this tab and the others. What they can do then: `person-actions.ts`.
 *
 * Knows sessions and accounts. Knows no view.
 */

import type { Rest } from "@amtrio/client";
import { SignedInAccount } from "./account.ts";
import type { Actions } from "./actions.ts";
import { StorageRefused } from "./device-storage.ts";
import { PersonActions } from "./person-actions.ts";
import { Session, type SignInOptions } from "./session.ts";
import { chat, EMPTY, type Self } from "./state.ts";
import { Tabs } from "./tabs.ts";
import { within } from "./within.ts";

// A slow line answers within this; one that swallows what is sent says so after minutes, for which nobody waits.
const LEAVE_WITHIN_MS = 4000;

export class Engine extends PersonActions implements Actions {
  readonly #url: string;
  readonly #session: Session;
  readonly #tabs = new Tabs();
  /** Who is here, or is about to be. */
  #self: Self | undefined;
  /** What this device knows of them has been read. */
  #account: SignedInAccount | undefined;
  #opening: Promise<void> = Promise.resolve();
  /** Whose session ends by this person's own doing. */
  #parting: SignedInAccount | undefined;
  /** Called while a person signs out, as long as the server still knows the session. */
  beforeSignOut: (rest: Rest) => Promise<void> = async () => undefined;

  constructor(url: string, fetch?: typeof globalThis.fetch) {
    super();
    this.#url = url;
    this.#session = new Session(url, fetch);
    this.#tabs.listen(({ kind, userId }) => {
      const isHere = userId === this.#self?.userId;
      if (kind === "signed_out" && isHere) {
        this.#session.forget();
        this.#leave().catch(() => undefined);
      }
      if (kind === "signed_in" && !isHere) this.#follow().catch(() => undefined);
    });
  }

  /** Who was signed in on this device last; null: nobody, or they have signed out. */
  get last(): Self | null {
    return this.#session.self;
  }

  override get rest(): Rest {
    return this.#session.rest;
  }

  protected override get account(): SignedInAccount | undefined {
    return this.#account;
  }

  /** Go on with who was signed in here last; without anybody, say so. Rejects if nothing can be kept on this device. */
  async start(): Promise<void> {
    const self = this.#session.resume();
    if (self !== null) await this.#open(self);
    else chat.setState({ ...EMPTY, self: null });
  }

  // ------------------------------------------------------------------------------------------------------ signing in

  async signIn(username: string, password: string): Promise<void> {
    await this.#enter(this.#session.signIn(username, password));
  }

  async register(username: string, password: string, invitation?: string): Promise<void> {
    await this.#enter(this.#session.register(username, password, invitation));
  }

  options(): Promise<SignInOptions> {
    return this.#session.options();
  }

  /** Here in any case; on the server if it answers in time. Its session ends by itself otherwise, or from another device. */
  async signOut(): Promise<void> {
    const self = this.#self;
    await this.#finish();
    await this.#part(() => {
      const ended = within(LEAVE_WITHIN_MS, this.#session.signOut()).catch(() => undefined);
      // Not only then: cut off by the server, the other tabs would say that the session has ended.
      if (self !== undefined) this.#tabs.tell({ kind: "signed_out", userId: self.userId });
      return ended;
    });
  }

  async deleteAccount(password: string): Promise<void> {
    const self = this.#self;
    await this.#part(() => this.rest.call("DELETE", "/account", { body: { password } }));
    if (self !== undefined) this.#tabs.tell({ kind: "signed_out", userId: self.userId });
    // What the server knew of this device went with the account; the browser still has its part.
    await this.#finish();
  }

  reconnect(): void {
    this.#account?.nudge();
  }

  async #finish(): Promise<void> {
    await within(LEAVE_WITHIN_MS, this.beforeSignOut(this.rest)).catch(() => undefined);
  }

  async #enter(begun: Promise<Self>): Promise<void> {
    let isBegun = false;
    try {
      const self = await begun;
      isBegun = true;
      await this.#open(self);
      if (this.#self?.userId === self.userId) this.#tabs.tell({ kind: "signed_in", userId: self.userId });
    } catch (error) {
      if ((isBegun || error instanceof StorageRefused) && this.#self === undefined) await this.#endUnused();
      throw error;
    }
  }

  /** Nobody can use the session here, and each try would leave one more on the server. */
  async #endUnused(): Promise<void> {
    await within(LEAVE_WITHIN_MS, this.#session.signOut()).catch(() => undefined);
    // Ended late, it would take the next one with it.
    this.#session.forget();
  }

  #open(self: Self): Promise<void> {
    // Another tab may tell of them while this one reads what it knows, or while they sign in here, too.
    if (this.#self?.userId === self.userId) return this.#opening;
    this.#self = self;
    // One after the other: they put what they read into the same state.
    this.#opening = this.#opening.catch(() => undefined).then(() => this.#read(self));
    return this.#opening;
  }

  async #read(self: Self): Promise<void> {
    const isWanted = (): boolean => this.#self === self;
    try {
      await this.#close();
      if (!isWanted()) return;
      const account = await SignedInAccount.open(self, this.#session, this.#tabs, isWanted);
      // They may have left while it was being read.
      if (isWanted()) this.#begin(account);
      else await account.close();
    } catch (error) {
      if (isWanted()) this.#self = undefined;
      throw error;
    } finally {
      if (this.#self === undefined) chat.setState({ ...EMPTY, self: null });
    }
  }

  #begin(account: SignedInAccount): void {
    this.#account = account;
    // Not before: views ask for what they show as soon as there is somebody.
    chat.setState({ self: account.self });
    account
      .run(this.#url)
      .then((hasEnded) => (hasEnded ? this.#ended(account) : undefined))
      // What is wrong with who comes next is seen by nobody being there.
      .catch(() => undefined);
  }

  async #ended(account: SignedInAccount): Promise<void> {
    if (account !== this.#account || account === this.#parting) return;
    this.#session.forget();
    await this.#leave({ hasEnded: true });
    if (this.#session.self !== null) await this.start();
  }

  /** Somebody signed in in another tab. What this one shows, and sends, is no other person's. */
  async #follow(): Promise<void> {
    if (this.#self !== undefined) {
      this.#session.forget();
      await this.#leave();
    }
    await this.start();
  }

  /** End the session and leave nothing on this device, unless `end` fails. The server may cut the connection before it answers. */
  async #part(end: () => Promise<unknown>): Promise<void> {
    // Whose data is still being read has some on this device.
    await within(LEAVE_WITHIN_MS, this.#opening.catch(() => undefined));
    const account = this.#account;
    this.#parting = account;
    try {
      await end();
    } catch (error) {
      this.#parting = undefined;
      throw error;
    }
    this.#session.forget();
    await this.#leave();
    await account?.erase();
  }

  async #leave({ hasEnded = false } = {}): Promise<void> {
    this.#self = undefined;
    chat.setState({ ...EMPTY, self: null, hasEnded });
    await this.#close();
  }

  async #close(): Promise<void> {
    const account = this.#account;
    this.#account = undefined;
    await account?.close();
  }
}
