/**
 * Keeps one logical connection alive: opens sockets one after the other, routes frames, sends what is due.
 *
 * Knows time. The rules stand in `log`, `commands` and `backoff`, the bytes in `socket`; knows nothing of what a message
 * is for.
 */

import { Answers } from "./answers.js";
import { Backoff, CLOSE, finalError, type Gone } from "./backoff.js";
import { Commands } from "./commands.js";
import { Confirmations } from "./confirmations.js";
import { ClientError, Closed, Refused } from "./errors.js";
import { EventQueue, type Queued } from "./event-queue.js";
import { readEvent } from "./events.js";
import { encodeFrame, type Data, type Frame } from "./frames.js";
import { Log } from "./log.js";
import type { PositionStore } from "./position-store.js";
import type { Connected, Position, Snapshot } from "./shapes.js";
import { Socket, type WebSocketConstructor } from "./socket.js";

// A socket that lived this long worked, even if nothing was said on it.
const WORKED_AFTER_MS = 10_000;
// setTimeout takes 31 bits; longer waits look again then.
const TIMER_AT_MOST_MS = 2 ** 31 - 1;
// How long to wait for the last confirmation to be kept.
const CLOSE_WITHIN_MS = 1000;
const UNAUTHORIZED = 401;

export interface LinkOptions {
  readonly url: string;
  /** Fields of the first frame that say who we are. */
  readonly hello: Data;
  readonly WebSocket: WebSocketConstructor;
  readonly store: PositionStore;
  readonly withSnapshot: boolean;
  readonly backoff: Backoff;
  /** The whole account at one place of its log. */
  readonly snapshot: () => Promise<Snapshot>;
  readonly onOnline: () => void;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #queue = new EventQueue();
  readonly #commands = new Commands();
  readonly #answers = new Answers();
  #log = new Log();
  #confirmations: Confirmations | undefined;
  #socket: Socket | undefined;
  #connected: Connected | undefined;
  #ended: ClientError | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #due: ReturnType<typeof setTimeout> | undefined;
  #openedAt = 0;
  #hasProgressed = false;
  #isFreshSnapshot = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Load the place and begin. Never fails: a store that cannot be read counts as empty. */
  async start(): Promise<void> {
    const { store, withSnapshot } = this.#options;
    const start = await store.load().catch(() => undefined);
    this.#log = new Log(start, withSnapshot);
    this.#confirmations = new Confirmations(store, start, (position) => this.#acknowledge(position));
    await this.#open();
  }

  /** What the server said first on the socket that is open now; undefined while there is none. */
  get connected(): Connected | undefined {
    return this.#connected;
  }

  // ------------------------------------------------------------------------------------------------ for the consumer

  /** Throws what ended the link for good; undefined after `close`. */
  async next(): Promise<Queued | undefined> {
    const item = await this.#queue.next();
    // Not while a new socket is on its way already.
    if (this.#connected !== undefined && this.#log.isBehind && this.#queue.isHalfEmpty) this.#reopen();
    return item;
  }

  /** The consumer is done with this one and all before it. */
  done({ handed }: Queued): void {
    if (handed === undefined || !this.#log.done(handed)) return;
    this.#confirmations?.moved(this.#log.confirmed!);
  }

  /** Send a command until it is answered, over as many sockets as it takes. */
  send(word: string, data: Data, signal?: AbortSignal): Promise<Data> {
    if (this.#ended !== undefined) return Promise.reject(unanswered(this.#ended));
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const command = this.#commands.add(word, data);
    const answer = this.#answers.wait(command, signal, () => this.#commands.forget(command));
    this.#flush();
    return answer;
  }

  /** Send what is about this moment only; false, and forgotten, if there is no socket. */
  tell(word: string, data: Data): boolean {
    if (this.#connected === undefined) return false;
    this.#socket!.send(encodeFrame(word, data));
    return true;
  }

  /** There is reason to believe that it is different now: try at once, or see whether the socket lives. */
  nudge(): void {
    if (this.#retry === undefined) {
      this.#socket?.check();
    } else {
      this.#options.backoff.succeeded();
      void this.#open();
    }
  }

  /** The network is said to be gone. A socket that shows no sign of life now is given up; one that waits, waits on. */
  doubt(): void {
    this.#socket?.check(false);
  }

  /** Keep and tell the last confirmation, then leave. Commands without an answer fail with `Closed`. */
  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_WITHIN_MS)));
    await Promise.race([this.#confirmations?.flush(), late]);
    clearTimeout(timer);
    this.#end(new Closed("the connection was closed"));
  }

  #end(error: ClientError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    clearTimeout(this.#retry);
    clearTimeout(this.#due);
    this.#leave();
    for (const command of this.#commands.abandon(unanswered(error))) this.#answers.settle(command);
    this.#queue.end(error instanceof Closed ? undefined : error);
    void this.#confirmations?.flush();
  }

  // ---------------------------------------------------------------------------------------- one socket after another

  async #open(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#hasProgressed = this.#isFreshSnapshot = false;
    this.#openedAt = performance.now();
    if (this.#log.needsSnapshot) {
      const gone = await this.#rebuild();
      if (gone !== undefined) return this.#comeBack(gone);
    }
    if (this.#ended !== undefined) return;
    const { WebSocket, url, hello } = this.#options;
    try {
      this.#socket = new Socket(WebSocket, url, { ...hello, ...this.#log.resume() }, {
        connected: (data) => this.#hello(data),
        frame: (frame) => this.#take(frame),
        gone: (gone) => this.#gone(gone),
      });
    } catch (error) {
      // No WebSocket here, or a page on https that asks for ws: it would fail the same way for ever.
      this.#end(new Refused(`cannot connect to ${url}: ${String(error)}`, { code: "cannot_connect" }));
    }
  }

  #gone(gone: Gone): void {
    this.#leave();
    this.#hasWorked();
    this.#comeBack(gone);
  }

  #leave(): void {
    this.#connected = undefined;
    this.#socket?.close();
    this.#socket = undefined;
    this.#commands.lost();
  }

  /** No failure: the next socket brings what this one cannot. */
  #reopen(): void {
    if (this.#socket === undefined) return;
    this.#leave();
    // A server that says `resync` behind every snapshot, or leaves a hole behind every hello, is in trouble: no asking
    // in a circle.
    if (this.#hasWorked() || (this.#log.needsSnapshot && !this.#isFreshSnapshot)) void this.#open();
    else this.#comeBack({ code: CLOSE.cut, reason: "the server left out an event" });
  }

  #comeBack(gone: Gone): void {
    if (this.#ended !== undefined) return;
    const final = finalError(gone);
    if (final !== undefined) return this.#end(final);
    const waitMs = this.#options.backoff.waitMs(gone);
    this.#retry = setTimeout(() => void this.#open(), waitMs);
    const data = { reason: gone.reason, close_code: gone.code, retry_in_ms: waitMs };
    this.#queue.push({ event: { type: "offline", data } });
  }

  #hasWorked(): boolean {
    const hasWorked = this.#hasProgressed || performance.now() - this.#openedAt >= WORKED_AFTER_MS;
    if (hasWorked) this.#options.backoff.succeeded();
    return hasWorked;
  }

  async #rebuild(): Promise<Gone | undefined> {
    let snapshot: Snapshot;
    try {
      snapshot = await this.#options.snapshot();
    } catch (error) {
      const refused = error instanceof Refused ? error : undefined;
      const code = refused?.status === UNAUTHORIZED ? CLOSE.sessionEnded : CLOSE.cut;
      return { code, reason: `no snapshot: ${String(error)}`, retryAfterMs: refused?.retryAfterMs };
    }
    if (this.#log.base !== undefined && this.#log.base.epoch !== snapshot.epoch) {
      this.#commands.restored(performance.now());
    }
    // The snapshot holds what these would tell; behind it they would tell it twice.
    this.#queue.dropNumbered();
    this.#log.rebuilt(snapshot);
    this.#queue.push({ event: { type: "snapshot", data: snapshot, seq: snapshot.seq }, handed: this.#log.handedOver() });
    this.#isFreshSnapshot = true;
    return undefined;
  }

  // --------------------------------------------------------------------------------------------------- on one socket

  #hello(connected: Connected): void {
    if (!this.#log.opened(connected.epoch, connected.seq)) return this.#reopen();
    this.#connected = connected;
    this.#commands.maxFrameBytes = connected.limits.max_message_bytes || undefined;
    // Where the very first socket began is worth keeping, too.
    if (this.#log.confirmed !== undefined) this.#confirmations?.moved(this.#log.confirmed);
    this.#queue.push({ event: { type: "online", data: connected } });
    this.#options.onOnline();
    this.#flush();
  }

  #take(frame: Frame): void {
    if (frame.seq !== undefined) {
      this.#takeNumbered(frame, frame.seq);
    } else if (frame.type === "resync") {
      this.#log.needsSnapshot = true;
      this.#reopen();
    } else if (frame.ref !== undefined || frame.type === "error") {
      this.#takeAnswer(frame);
    } else if (this.#queue.hasRoom) {
      this.#queue.push({ event: readEvent(frame) });
    }
  }

  #takeNumbered(frame: Frame, seq: number): void {
    const verdict = this.#log.judge(seq, this.#queue.hasRoom);
    if (verdict === "hole") return this.#reopen();
    if (verdict !== "take") return;
    this.#hasProgressed = true;
    this.#queue.push({ event: readEvent(frame), handed: this.#log.handedOver() });
  }

  #takeAnswer({ ref, type, data }: Frame): void {
    this.#hasProgressed = true;
    const command = this.#commands.answered(ref, type, data, performance.now());
    if (command === undefined) this.#flush();
    else this.#answers.settle(command);
  }

  #flush(): void {
    if (this.#connected === undefined) return;
    clearTimeout(this.#due);
    const { frames, refused } = this.#commands.due(performance.now());
    for (const frame of frames) this.#socket!.send(frame);
    for (const command of refused) this.#answers.settle(command);
    const waitMs = this.#commands.nextDue() - performance.now();
    if (waitMs !== Infinity) this.#due = setTimeout(() => this.#flush(), Math.min(Math.max(waitMs, 0), TIMER_AT_MOST_MS));
  }

  #acknowledge({ epoch, seq }: Position): void {
    // A place of a history that is not the socket's any more says nothing there.
    const { confirmed } = this.#log;
    if (confirmed?.epoch === epoch && seq <= confirmed.seq && this.#connected?.epoch === epoch) this.tell("ack", { seq });
  }
}

/** How a command fails that is under way when all ends. What the server refused is the hello, and none of them. */
function unanswered(error: ClientError): ClientError {
  return error instanceof Refused ? new ClientError(`the connection has ended: ${error.message}`, { cause: error }) : error;
}
