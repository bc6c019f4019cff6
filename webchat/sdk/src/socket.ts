/**
 * One WebSocket from its opening to its end: hello, signs of life, frames.
 *
 * Knows what a WebSocket of a browser can do, which is little: no headers, no pings, no status of a refused upgrade.
 * Knows nothing of what comes before or after it. Source: docs/protocol.md, "Connecting" and "Hello".
 */

import { CLOSE, type Gone } from "./backoff.js";
import { Refused, readRefusal } from "./errors.js";
import { encodeFrame, readFrame, type Frame } from "./frames.js";
import type { Connected } from "./shapes.js";

/** As much of an event of a WebSocket as is looked at. */
export interface SocketEvent {
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

/** As much of a WebSocket as is used. */
export interface WebSocketLike {
  readonly protocol: string;
  /** 1 while it is open. */
  readonly readyState?: number;
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: SocketEvent) => void): void;
  send(text: string): void;
  close(code?: number): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export interface SocketListener {
  connected(data: Connected): void;
  /** Every frame behind `connected`. */
  frame(frame: Frame): void;
  /** Once, and last of all; not after `close`. */
  gone(gone: Gone): void;
}

const VERSION = "v2";
// WebSocket.OPEN, which not everything that looks like a WebSocket has.
const OPEN = 1;
// The server waits 10 s for `hello`; before that there are a name to look up, TLS and the upgrade.
const CONNECTED_WITHIN_MS = 20_000;
// How long to wait for the close frame behind a refusal.
const CLOSE_WITHIN_MS = 1000;
const PING_EVERY_S = 25;
// A second is a bad network already; ten cover a phone that changes from one to another.
const PONG_WITHIN_MS = 10_000;
// Without a network, as far as anybody knows. What is alive all the same, by another one or on this machine, is near.
const PONG_WITHOUT_NETWORK_WITHIN_MS = 1000;
const PING_REF = "ping";

export class Socket {
  readonly #socket: WebSocketLike;
  readonly #listener: SocketListener;
  #isConnected = false;
  #isOver = false;
  #refusal: Refused | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #pings: ReturnType<typeof setInterval> | undefined;
  #pong: ReturnType<typeof setTimeout> | undefined;

  constructor(make: WebSocketConstructor, url: string, hello: object, listener: SocketListener) {
    this.#listener = listener;
    this.#socket = new make(url, [VERSION]);
    this.#deadline = setTimeout(() => this.#end(CLOSE.cut, "no answer to hello"), CONNECTED_WITHIN_MS);
    this.#socket.addEventListener("open", () => this.#opened(hello));
    this.#socket.addEventListener("message", ({ data }) => this.#received(data));
    this.#socket.addEventListener("close", ({ code, reason }) => this.#end(code ?? CLOSE.cut, reason ?? ""));
    // A `close` event follows by the standard, but not in every environment that came before it.
    this.#socket.addEventListener("error", () => {
      if (this.#isOver) return;
      clearTimeout(this.#deadline);
      this.#deadline = setTimeout(() => this.#end(CLOSE.cut, ""), CLOSE_WITHIN_MS);
    });
  }

  /** Lost, if the other side is closing and has not said so yet: browsers complain aloud about writing to that. */
  send(frame: string): void {
    if (!this.#isOver && (this.#socket.readyState ?? OPEN) === OPEN) this.#socket.send(frame);
  }

  /** Ask for a sign of life now: there is reason to doubt. `hasNetwork`: false if it is said to be gone. */
  check(hasNetwork = true): void {
    if (!this.#isConnected || this.#isOver) return;
    this.send(encodeFrame("ping", {}, PING_REF));
    if (!hasNetwork) {
      // Whoever asked before had more patience.
      clearTimeout(this.#pong);
      this.#pong = undefined;
    }
    const withinMs = hasNetwork ? PONG_WITHIN_MS : PONG_WITHOUT_NETWORK_WITHIN_MS;
    this.#pong ??= setTimeout(() => this.#end(CLOSE.cut, "no sign of life"), withinMs);
  }

  /** Leave. The listener hears nothing more. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#pong);
    clearInterval(this.#pings);
    this.#socket.close(CLOSE.normal);
  }

  #opened(hello: object): void {
    if (this.#isOver) return;
    if (this.#socket.protocol === VERSION) {
      this.send(encodeFrame("hello", hello));
    } else {
      const text = `the server does not speak ${VERSION} of the protocol`;
      this.#end(CLOSE.cut, text, new Refused(text, { code: "unsupported_version" }));
    }
  }

  #received(text: unknown): void {
    if (this.#isOver) return;
    clearTimeout(this.#pong);
    this.#pong = undefined;
    const frame = readFrame(text);
    if (frame === undefined || frame.ref === PING_REF) return;
    if (this.#isConnected) this.#listener.frame(frame);
    else this.#firstFrame(frame);
  }

  #firstFrame(frame: Frame): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    const { epoch, seq, limits } = frame.data;
    if (frame.type === "error") {
      // The close code that follows says whether to come back; the error says why in better words.
      this.#refusal = readRefusal(frame.data);
      this.#deadline = setTimeout(() => this.#end(CLOSE.cut, ""), CLOSE_WITHIN_MS);
    } else if (frame.type !== "connected" || typeof epoch !== "string" || typeof seq !== "number") {
      this.#end(CLOSE.cut, `the first frame was no 'connected' but '${frame.type.slice(0, 40)}'`);
    } else {
      this.#isConnected = true;
      const connected = { capabilities: [], limits: {}, ...frame.data } as unknown as Connected;
      const everyS = (limits as Connected["limits"] | undefined)?.ping_every_s || PING_EVERY_S;
      this.#pings = setInterval(() => this.check(), everyS * 1000);
      this.#listener.connected(connected);
    }
  }

  #end(code: number, reason: string, final?: Refused): void {
    if (this.#isOver) return;
    this.close();
    const refusal = this.#refusal;
    const isCut = code === CLOSE.cut && refusal?.code === "unauthorized";
    this.#listener.gone({
      code: isCut ? CLOSE.sessionEnded : code,
      reason: refusal?.message ?? reason,
      retryAfterMs: refusal?.retryAfterMs,
      ...(final === undefined ? {} : { final }),
    });
  }
}
