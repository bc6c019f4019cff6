/**
 * Whether to come back after a socket went, and when.
 *
 * Knows close codes and numbers. Knows no socket and no clock. Source: docs/protocol.md, "Close codes".
 */

import { AuthenticationEnded, Refused, Replaced, type ClientError } from "./errors.js";

/** Why there is no socket any more. */
export interface Gone {
  /** 1006 when it was cut or never opened. */
  readonly code: number;
  /** In the server's words, if it said any. */
  readonly reason: string;
  /** The server's wish. */
  readonly retryAfterMs?: number | undefined;
  /** Known here already: no further socket will do better. */
  readonly final?: ClientError;
}

export const CLOSE = {
  normal: 1000,
  cut: 1006,
  restarting: 1012,
  overloaded: 1013,
  replaced: 4000,
  malformed: 4400,
  sessionEnded: 4401,
  replacementLoop: 4409,
  tooSlow: 4413,
} as const;

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
// A server that says it is overloaded gets at least this.
const OVERLOADED_WAIT_MS = 5000;
// The server is there and wants us back: no need to grow the wait.
const QUICK: ReadonlySet<number> = new Set([CLOSE.restarting, CLOSE.tooSlow]);
// 2 to this power is beyond any sensible longest wait; the cap keeps the power from growing for ever.
const DOUBLE_AT_MOST = 16;

/** The codes after which coming back makes no sense, and what the consumer gets instead. */
const FINAL: ReadonlyMap<number, (reason: string) => ClientError> = new Map([
  [CLOSE.sessionEnded, (reason) => new AuthenticationEnded(reason || "the session has ended")],
  [CLOSE.replaced, (reason) => new Replaced(reason || "replaced by a newer connection")],
  [CLOSE.malformed, (reason) => new Refused(reason || "the server did not understand", { code: "malformed" })],
]);

/** The error that ends a connection for good, or undefined if coming back makes sense. */
export function finalError(gone: Gone): ClientError | undefined {
  return gone.final ?? FINAL.get(gone.code)?.(gone.reason);
}

/**
 * Doubles from half a second to 30 seconds, each wait up to half shorter by chance, so that not everybody returns in
 * the same second after a restart.
 */
export class Backoff {
  #failures = 0;
  readonly #chance: () => number;

  /** `chance` gives numbers of [0, 1). */
  constructor(chance: () => number = Math.random) {
    this.#chance = chance;
  }

  /** The connection worked: the next failure starts from the shortest wait. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** Milliseconds until the next try, after this loss. */
  waitMs(gone: Gone): number {
    if (gone.retryAfterMs !== undefined) return gone.retryAfterMs + FIRST_MS * this.#chance();
    this.#failures = QUICK.has(gone.code) ? 1 : this.#failures + 1;
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#failures - 1, DOUBLE_AT_MOST));
    const floor = gone.code === CLOSE.overloaded ? OVERLOADED_WAIT_MS : 0;
    return Math.max(floor, longest * (1 - this.#chance() / 2));
  }
}
