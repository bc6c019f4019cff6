/**
 * The place of one client in its account's log: what is new, what is known, what is missing.
 *
 * Sans I/O. Source: docs/protocol.md, "Resume and resync".
 */

import type { Position } from "./shapes.js";

/**
 * What to do with a numbered event.
 *
 * `take`: it is the next one. `known`: had it before. `hole`: something between is missing, reconnect.
 * `no_room`: the consumer is behind, it will be asked for again.
 */
export type Verdict = "take" | "known" | "hole" | "no_room";

/** A place that was handed to the consumer. A snapshot that came later makes it void. */
export interface Handed extends Position {
  readonly generation: number;
}

/**
 * Three places, never in the wrong order: `confirmed` (the consumer is done with it; told to the server and kept for
 * the next run) <= `base` (where a new socket goes on) <= the last number received.
 */
export class Log {
  confirmed: Position | undefined;
  needsSnapshot: boolean;
  isBehind = false;
  #base: Position | undefined;
  #last: number;
  #generation = 0;

  constructor(start?: Position, needsSnapshot = false) {
    this.confirmed = start;
    this.needsSnapshot = needsSnapshot;
    this.#base = start;
    this.#last = start?.seq ?? 0;
  }

  get base(): Position | undefined {
    return this.#base;
  }

  /** Fields of `hello` that say where to go on; none on the very first connection. */
  resume(): { since: number; epoch: string } | Record<string, never> {
    return this.#base === undefined ? {} : { since: this.#base.seq, epoch: this.#base.epoch };
  }

  /** A socket is there and goes on after `seq`. False if it would leave out something: a snapshot is needed. */
  opened(epoch: string, seq: number): boolean {
    this.isBehind = false;
    if (this.#base === undefined) {
      this.#base = this.confirmed = { epoch, seq };
      this.#last = seq;
    } else if (epoch !== this.#base.epoch || seq > this.#last) {
      this.needsSnapshot = true;
    }
    return !this.needsSnapshot;
  }

  /** Look at the number of an event; `take` moves on. */
  judge(seq: number, hasRoom: boolean): Verdict {
    if (seq <= this.#last) return "known";
    if (this.isBehind || !hasRoom) {
      this.isBehind = true;
      return "no_room";
    }
    if (seq > this.#last + 1) return "hole";
    this.#last = seq;
    return "take";
  }

  /** The place of what was received last, for the consumer to hand back with `done`. */
  handedOver(): Handed {
    if (this.#base === undefined) throw new Error("nothing was received yet");
    return { epoch: this.#base.epoch, seq: this.#last, generation: this.#generation };
  }

  /** A snapshot of this place is on its way to the consumer and stands for everything before it. */
  rebuilt(position: Position): void {
    this.needsSnapshot = false;
    this.isBehind = false;
    this.#base = { epoch: position.epoch, seq: position.seq };
    this.#last = position.seq;
    this.#generation += 1;
  }

  /** The consumer is done with this and with everything handed over before. True if `confirmed` moved. */
  done(handed: Handed): boolean {
    if (handed.generation !== this.#generation) return false; // is part of a snapshot that came after it
    const { epoch, seq } = handed;
    if (this.#base === undefined || seq < this.#base.seq) return false;
    if (this.confirmed?.epoch === epoch && this.confirmed.seq === seq) return false;
    this.#base = this.confirmed = { epoch, seq };
    return true;
  }
}
