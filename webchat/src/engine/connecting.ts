/**
 * Keeps an account connected as long as its session lives: a token, a connection under the id of this tab, and both
 * again when that has ended.
 *
 * Knows when to wait and for how long. Knows nothing of what is told.
 */

import { AuthenticationEnded, Backoff, connect, Replaced, type AmtrioEvent, type Connection, type Position } from "@amtrio/client";
import type { Session } from "./session.ts";
import { chat } from "./state.ts";
import { DeviceId } from "./tabs.ts";

const CUT = 1006;

/** The account, as far as it has to do with being connected. */
export interface Connected {
  /** How far it has come in the log; undefined: it has nothing yet. */
  position(): Position | undefined;
  /** Resolves when all that was told is on the disk. */
  keep(): Promise<void>;
  begun(connection: Connection): void;
  told(event: AmtrioEvent, connection: Connection): Promise<void>;
}

export class Connecting {
  readonly #session: Session;
  readonly #account: Connected;
  readonly #deviceId = new DeviceId();
  #connection: Connection | undefined;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(session: Session, account: Connected) {
    this.#session = session;
    this.#account = account;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Keep connected until `close`, or until the session has ended: then it returns true. */
  async run(url: string): Promise<boolean> {
    const backoff = new Backoff();
    let device: string | undefined;
    let isCopied = false;
    while (!this.#isClosed) {
      const began = performance.now();
      let reason: string;
      try {
        // A copy of this tab has our id; without Web Locks nothing else tells.
        device = isCopied ? await this.#deviceId.takeAnother() : (device ?? (await this.#deviceId.take()));
        isCopied = false;
        if (this.#session.rest.token === undefined && !(await this.#session.renew())) return !this.#isClosed;
        if (this.#isClosed) break;
        reason = await this.#connected(url, device);
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        if (error instanceof AuthenticationEnded) this.#session.rest.token = undefined;
        isCopied ||= error instanceof Replaced;
      }
      if (this.#isClosed) break;
      if (performance.now() - began > 60_000) backoff.succeeded();
      await this.#pause(reason, backoff.waitMs({ code: CUT, reason }));
    }
    return false;
  }

  nudge(): void {
    this.#wake?.();
    this.#connection?.nudge();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#connection?.close();
    await this.#deviceId.giveBack();
  }

  async #connected(url: string, device: string): Promise<string> {
    const connection = connect({
      url,
      token: this.#session.rest.token!,
      deviceId: device,
      client: `amtrio-web/${import.meta.env["VITE_VERSION"] ?? "dev"}`,
      withSnapshot: this.#account.position() === undefined,
      store: { load: async () => this.#account.position(), save: () => this.#account.keep() },
    });
    this.#connection = connection;
    this.#account.begun(connection);
    try {
      for await (const event of connection) await this.#account.told(event, connection);
      return "";
    } finally {
      this.#connection = undefined;
      void connection.close();
    }
  }

  /** Wait, unless somebody says that it is different now. */
  #pause(reason: string, waitMs: number): Promise<void> {
    showOffline(reason, waitMs);
    return new Promise((resolve) => {
      const timer = setTimeout(wake, waitMs);
      const stop = new AbortController();
      window.addEventListener("online", wake, { signal: stop.signal });
      function wake(): void {
        clearTimeout(timer);
        stop.abort();
        resolve();
      }
      this.#wake = wake;
    });
  }
}

export function showOffline(reason: string, retryInMs: number): void {
  chat.setState({ link: { kind: "offline", reason, retryAt: Date.now() + retryInMs } });
}
