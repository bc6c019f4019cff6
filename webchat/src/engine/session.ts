/**
 * Who is signed in, and the token that proves it.
 *
 * The token lives in memory alone. What outlives the page is a cookie that no script can read, good for nothing but a
 * new token (`POST /auth/session`); and the name, so that the app can show what it has while there is no server.
 */

import { Refused, Rest, type SignedIn } from "@amtrio/client";
import { refusalOf } from "./device-storage.ts";
import type { Self } from "./state.ts";

/** What a page may offer to somebody without an account. */
export interface SignInOptions {
  readonly registration: "open" | "invitation" | "closed";
  /** Nobody administers this server yet: the link that its start printed makes the first one. */
  readonly needs_administrator: boolean;
}

const KEY = "amtrio.self";
const UNAUTHORIZED = 401;
/** What is asked before there is a token; another one helps none of these. */
const FOR_ANYONE = /\/auth\/(login|register|session|options|invitation)$/;

export class Session {
  readonly rest: Rest;
  #renewal: Promise<boolean> | undefined;
  /** Whose this page is. Another tab may have signed in somebody else meanwhile, whose name and cookie are in our place. */
  #owner: string | undefined;
  /** Who was signed in before this number was raised is not any more. */
  #ended = 0;
  /** Ends what is asked about the session itself when that is over here. */
  #over = new AbortController();

  /** `url` is that of the server, which also serves this page. */
  constructor(url: string, fetch: typeof globalThis.fetch = globalThis.fetch) {
    this.rest = new Rest({ url, fetch: (input, init) => this.#fetch(fetch, input, init) });
  }

  get self(): Self | null {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<Self> | null;
      return typeof found?.userId === "string" && typeof found.username === "string" ? (found as Self) : null;
    } catch {
      return null;
    }
  }

  /** The page is theirs from now on. */
  resume(): Self | null {
    const { self } = this;
    this.#owner = self?.userId;
    return self;
  }

  signIn(username: string, password: string): Promise<Self> {
    return this.#enter("/auth/login", { username, password });
  }

  register(username: string, password: string, invitation?: string): Promise<Self> {
    return this.#enter("/auth/register", { username, password, ...(invitation ? { invitation } : {}) });
  }

  options(): Promise<SignInOptions> {
    return this.rest.call("GET", "/auth/options");
  }

  /**
   * A token for who is signed in; false if the session has ended, also by somebody else's beginning in another tab.
   *
   * @throws ClientError - the server could not be asked.
   */
  renew(): Promise<boolean> {
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  /** Here at once, and on the server if it can be reached. */
  async signOut(): Promise<void> {
    // A page that was opened just now has no token yet, and without one the session would live on behind its cookie.
    const hasToken = this.rest.token !== undefined || this.renew().catch(() => false);
    // Before anything is waited for: no other tab begins again with this name, and this one neither.
    this.#forgetName();
    const ended = this.#ended;
    try {
      if ((await hasToken) && ended === this.#ended) await this.rest.call("POST", "/auth/logout", { signal: this.#over.signal });
    } finally {
      // Not whoever signed in while the server took its time.
      if (ended === this.#ended) this.forget();
    }
  }

  /** What the server was asked about the session is given up: answered late, it would change the cookie of the next one. */
  forget(): void {
    this.#ended += 1;
    this.#over.abort();
    this.#over = new AbortController();
    this.rest.token = undefined;
    this.#forgetName();
    this.#owner = undefined;
  }

  /** Not that of who signed in after us. */
  #forgetName(): void {
    try {
      if (this.#owner === undefined || this.self?.userId === this.#owner) localStorage.removeItem(KEY);
    } catch {
      // A browser that lets nothing be kept keeps no name.
    }
  }

  async #enter(path: string, body: object): Promise<Self> {
    return this.#keep(await this.rest.call<SignedIn>("POST", path, { body: { ...body, cookie: true } }));
  }

  async #renew(): Promise<boolean> {
    const ended = this.#ended;
    try {
      const signedIn = await this.rest.call<SignedIn>("POST", "/auth/session", { body: {}, signal: this.#over.signal });
      if (ended !== this.#ended || (this.#owner ?? signedIn.user_id) !== signedIn.user_id) return false;
      this.#keep(signedIn);
      return true;
    } catch (error) {
      if (ended !== this.#ended || (error instanceof Refused && error.status === UNAUTHORIZED)) return false;
      throw error;
    }
  }

  #keep({ token, user_id: userId, username }: SignedIn): Self {
    const self = { userId, username };
    this.rest.token = token;
    this.#owner = userId;
    try {
      localStorage.setItem(KEY, JSON.stringify(self));
    } catch (error) {
      throw refusalOf(error);
    }
    return self;
  }

  /** What is asked before the page has its token waits for it; one that has run out is replaced once. Nobody notices. */
  async #fetch(fetch: typeof globalThis.fetch, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    if (FOR_ANYONE.test(new URL(String(input)).pathname)) return fetch(input, init);
    const isEarly = this.rest.token === undefined && this.self !== null;
    if (isEarly && (await this.renew().catch(() => false))) return fetch(input, this.#withToken(init));
    const [sent, ended] = [this.rest.token, this.#ended];
    const answer = await fetch(input, init);
    if (answer.status !== UNAUTHORIZED || sent === undefined) return answer;
    // What one person asked is not asked again in the name of the next.
    if (ended !== this.#ended) return answer;
    if (this.rest.token === sent && !(await this.renew().catch(() => false))) return answer;
    return fetch(input, this.#withToken(init));
  }

  #withToken(init: RequestInit | undefined): RequestInit {
    return { ...init, headers: { ...(init?.headers as object), Authorization: `Bearer ${this.rest.token}` } };
  }
}
