/**
 * The face of one logical connection: events to loop over, commands to send.
 *
 * It outlives sockets and restarts of the server; how, stands in `link`.
 */

import { Backoff } from "./backoff.js";
import type { Queued } from "./event-queue.js";
import type { AmtrioEvent } from "./events.js";
import type { Data } from "./frames.js";
import { pageHints, type Hint, type Hints } from "./hints.js";
import { socketUrl } from "./http.js";
import { Link } from "./link.js";
import { MemoryStore, type PositionStore } from "./position-store.js";
import { Rest } from "./rest.js";
import type { Connected } from "./shapes.js";
import type { WebSocketConstructor } from "./socket.js";
import { Visible } from "./visible.js";
import { WITHOUT_CLIENT_ID, type SendWord, type TellWord, type TellWords, type Words } from "./words.js";

export interface ConnectionOptions {
  /** Of the server: `https://chat.example.org`; a path before the routes is kept. */
  url: string;
  /** What `Rest.login` gave, or an agent's credential (then with `agentId`). */
  token: string;
  agentId?: string;
  /** Tells the devices of one account apart: choose one at random and keep it. 1 to 64 of `[A-Za-z0-9_.-]`. */
  deviceId?: string;
  /** Name and version of the program, shown in the list of sessions: `my-app/1.0`. */
  client?: string;
  /** Where the place in the log is kept; by default it is forgotten with the program. */
  store?: PositionStore;
  /** Begin with a `snapshot`: for programs that keep nothing between runs. */
  withSnapshot?: boolean;
  /** What the surroundings say; by default those of the page, if there is one. Null: listen to nothing. */
  hints?: Hints | null;
  /** By default the global ones. */
  WebSocket?: WebSocketConstructor;
  fetch?: typeof fetch;
  /** Numbers of [0, 1) that spread reconnects. */
  random?: () => number;
}

export interface SendOptions {
  /** Stop waiting. Whether the server did it stays open. */
  signal?: AbortSignal;
}

/** Connect, and stay connected until `close`. */
export function connect(options: ConnectionOptions): Connection {
  return new Connection(options);
}

export class Connection implements AsyncIterable<AmtrioEvent, void, void> {
  /** REST with the same credential. */
  readonly rest: Rest;
  readonly #link: Link;
  readonly #hints: Hints | undefined;
  readonly #visible: Visible | undefined;
  readonly #stopListening: (() => void) | undefined;
  #open: Queued | undefined;

  constructor(options: ConnectionOptions) {
    const { url, token, agentId, deviceId, client } = options;
    this.rest = new Rest({ url, token, agentId, fetch: options.fetch });
    this.#hints = options.hints === null ? undefined : (options.hints ?? pageHints());
    this.#link = new Link({
      url: socketUrl(url, agentId === undefined ? "/client/connect" : "/agent/connect"),
      hello: { token, agent_id: agentId, device_id: deviceId, client },
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
      store: options.store ?? new MemoryStore(),
      withSnapshot: options.withSnapshot ?? false,
      backoff: new Backoff(options.random),
      snapshot: () => this.rest.snapshot(),
      onOnline: () => this.#online(),
    });
    if (agentId === undefined && this.#hints !== undefined) {
      this.#visible = new Visible((visible) => void this.tell("visible", { visible }));
    }
    this.#stopListening = this.#hints?.listen((hint) => this.#heard(hint));
    void this.#link.start();
  }

  /** What the server said first on the socket that is open now: limits, capabilities; undefined while there is none. */
  get connected(): Connected | undefined {
    return this.#link.connected;
  }

  get isOnline(): boolean {
    return this.#link.connected !== undefined;
  }

  /**
   * Send a command until it is answered, over as many sockets as it takes. Sent in the order of the calls.
   *
   * @throws Refused - the server said no and would say so again.
   * @throws ClientError - the connection has ended. Then it stays open whether the server did it.
   */
  async send<Word extends SendWord>(
    word: Word,
    data: Words[Word]["takes"],
    { signal }: SendOptions = {},
  ): Promise<Words[Word]["gives"]> {
    const fields: Data = WITHOUT_CLIENT_ID.has(word) ? { ...data } : { client_id: newClientId(), ...data };
    return (await this.#link.send(word, fields, signal)) as Words[Word]["gives"];
  }

  /** Say what is about this moment only. False, and forgotten, if there is no socket right now. */
  tell<Word extends TellWord>(word: Word, data: TellWords[Word]): boolean {
    return this.#link.tell(word, { ...data });
  }

  /**
   * Events, in order, for one loop at a time.
   *
   * Asking for the next one says that the one before is done with: only then its number is kept and told to the
   * server. The loop ends after `close` and throws what ended the connection for good (`AuthenticationEnded`,
   * `Replaced`, `Refused`). Leaving it early leaves the connection open; a later loop goes on.
   */
  [Symbol.asyncIterator](): AsyncIterator<AmtrioEvent, void, void> {
    return {
      next: async () => {
        if (this.#open !== undefined) this.#link.done(this.#open);
        this.#open = undefined;
        this.#open = await this.#link.next();
        return this.#open === undefined ? { done: true, value: undefined } : { done: false, value: this.#open.event };
      },
      return: async () => ({ done: true, value: undefined }),
    };
  }

  /** Look now whether the connection lives, or connect now if it waits to. */
  nudge(): void {
    this.#link.nudge();
  }

  /** Keep and tell the last confirmation, then leave. Commands without an answer fail with `Closed`. */
  async close(): Promise<void> {
    this.#stopListening?.();
    this.#visible?.end();
    await this.#link.close();
  }

  /** For `await using`, where there is such a thing. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #online(): void {
    if (this.#hints?.isSeen() === true) this.#visible?.begin();
  }

  #heard(hint: Hint): void {
    if (hint === "seen") this.#visible?.begin();
    if (hint === "unseen") this.#visible?.end();
    else if (hint === "no_network") this.#link.doubt();
    else this.#link.nudge();
  }
}

/** A random id that makes resending safe: 32 characters. */
export function newClientId(): string {
  // Not crypto.randomUUID, which only exists on https and localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
