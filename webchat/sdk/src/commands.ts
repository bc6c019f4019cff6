/**
 * Commands without an answer so far, in the order they were asked for: what to send now, what to send again.
 *
 * Sans I/O: times are milliseconds of any monotonic clock, brought by the caller.
 * Source: docs/protocol.md, "Resending" and "Order under a rate limit".
 */

import { Refused, readRefusal, type ClientError } from "./errors.js";
import { encodeFrame, type Data } from "./frames.js";
import { ASKING } from "./words.js";

// The server counts them in one budget and one order. Source: docs/protocol.md, "Order under a rate limit".
const MESSAGES: ReadonlySet<string> = new Set(["message", "encrypted_message"]);

// How long and how many answered commands are kept for a server that comes back with an older state of itself.
// Source: docs/protocol.md, "Resending" case 13. 1,000 messages are a busy day of a person.
const REPEAT_WITHIN_MS = 24 * 3_600_000;
const REPEAT_AT_MOST = 1000;
// After "send the same again" without a time: the server has trouble with its disk or is leaving.
const RETRY_SAME_MS = 1000;

/** One command on its way. */
export interface Command {
  readonly word: string;
  readonly data: Data;
  /** With the attempt it makes the `ref`, so that a late refusal of an earlier try is known. */
  readonly number: number;
  attempt: number;
  isSent: boolean;
  notBefore: number;
  answer?: Data;
  failure?: ClientError;
}

/** What `due` says to do. */
export interface Due {
  /** In the order in which they must leave. */
  frames: string[];
  /** Commands that failed because the server would take no frame of their length. */
  refused: Command[];
}

export class Commands {
  /**
   * The server's limit in bytes, known once connected. A longer frame would close the socket again and again, so
   * it is refused here.
   */
  maxFrameBytes: number | undefined;
  #waiting = new Map<number, Command>();
  #next = 1;
  #holdMessagesUntil = 0;
  #done: { at: number; word: string; data: Data }[] = [];
  readonly #utf8 = new TextEncoder();

  get size(): number {
    return this.#waiting.size;
  }

  add(word: string, data: Data): Command {
    const command: Command = { word, data, number: this.#next, attempt: 0, isSent: false, notBefore: 0 };
    this.#next += 1;
    this.#waiting.set(command.number, command);
    return command;
  }

  /** Nobody waits for it any more. Whether the server did it stays open. */
  forget(command: Command): void {
    this.#waiting.delete(command.number);
  }

  /** There will be no further socket: all of them fail. */
  abandon(failure: ClientError): Command[] {
    const abandoned = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const command of abandoned) command.failure = failure;
    return abandoned;
  }

  /** The socket is gone: everything unanswered will be sent again, in order, with the same `client_id`. */
  lost(): void {
    for (const command of this.#waiting.values()) command.isSent = false;
  }

  /**
   * The server has another history, say from a backup: what it answered lately it may not know any more.
   *
   * All of that goes again, before what waits, under the same ids; what it still knows it answers as before.
   */
  restored(now: number): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const { at, word, data } of this.#done) {
      if (now - at <= REPEAT_WITHIN_MS) this.add(word, data);
    }
    this.#done = [];
    for (const [number, command] of waiting) this.#waiting.set(number, command);
  }

  /** What to send now. */
  due(now: number): Due {
    const due: Due = { frames: [], refused: [] };
    for (const command of this.#waiting.values()) {
      if (command.isSent || this.#notBefore(command) > now) continue;
      command.attempt += 1;
      const frame = encodeFrame(command.word, command.data, refOf(command));
      const tooLong = this.#tooLong(command, frame);
      if (tooLong !== undefined) {
        command.failure = tooLong;
        this.forget(command);
        due.refused.push(command);
      } else {
        command.isSent = true;
        due.frames.push(frame);
      }
    }
    return due;
  }

  /** When something has to be sent that is held back now; infinity if nothing is. */
  nextDue(): number {
    let next = Infinity;
    for (const command of this.#waiting.values()) {
      if (!command.isSent) next = Math.min(next, this.#notBefore(command));
    }
    return next;
  }

  /** An answer came. The command if this settles it; undefined if it goes again, or if nobody waits for it. */
  answered(ref: string | number | undefined, type: string, data: Data, now: number): Command | undefined {
    const isError = type === "error";
    const command = this.#find(ref, isError ? data : {});
    if (command === undefined) return undefined;
    if (!isError) {
      command.answer = data;
      this.forget(command);
      if (!ASKING.has(command.word)) this.#remember(command, now);
      return command;
    }
    // Refusal of an earlier try: it is on its way again, or will be.
    if (!command.isSent || (ref !== undefined && ref !== refOf(command))) return undefined;
    const refusal = readRefusal(data);
    if (refusal.retry === "no") {
      command.failure = refusal;
      this.forget(command);
      return command;
    }
    this.#sendAgain(command, now + (refusal.retryAfterMs ?? RETRY_SAME_MS));
    return undefined;
  }

  #sendAgain(command: Command, at: number): void {
    command.isSent = false;
    command.notBefore = at;
    if (!MESSAGES.has(command.word)) return;
    // The server refuses every later message of this socket until this one has come again, so that the order
    // holds: all of them go again, and new ones queue up behind.
    this.#holdMessagesUntil = Math.max(this.#holdMessagesUntil, at);
    let isBehind = false;
    for (const other of this.#waiting.values()) {
      isBehind ||= other === command;
      if (isBehind && MESSAGES.has(other.word)) other.isSent = false;
    }
  }

  #notBefore(command: Command): number {
    return MESSAGES.has(command.word) ? Math.max(this.#holdMessagesUntil, command.notBefore) : command.notBefore;
  }

  #tooLong(command: Command, frame: string): Refused | undefined {
    if (this.maxFrameBytes === undefined || frame.length * 3 <= this.maxFrameBytes) return undefined;
    const bytes = this.#utf8.encode(frame).length;
    if (bytes <= this.maxFrameBytes) return undefined;
    const text = `${command.word} makes a frame of ${bytes} bytes, the server takes ${this.maxFrameBytes}`;
    return new Refused(text, { code: "too_large" });
  }

  #remember(command: Command, now: number): void {
    this.#done.push({ at: now, word: command.word, data: command.data });
    if (this.#done.length > REPEAT_AT_MOST) this.#done.shift();
  }

  #find(ref: string | number | undefined, data: Data): Command | undefined {
    if (ref !== undefined) {
      const number = /^(\d+)\./.exec(String(ref))?.[1];
      return number === undefined ? undefined : this.#waiting.get(Number(number));
    }
    const clientId = data["client_id"];
    if (clientId === undefined) return undefined;
    return [...this.#waiting.values()].find((command) => command.data["client_id"] === clientId);
  }
}

export function refOf(command: Command): string {
  return `${command.number}.${command.attempt}`;
}
