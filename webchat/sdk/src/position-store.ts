/**
 * Where a client keeps its place in its account's log between two runs.
 *
 * Knows nothing of sockets.
 */

import { isObject } from "./frames.js";
import type { Position } from "./shapes.js";

/**
 * Keeps one position of one account and device.
 *
 * A `save` that has resolved must survive what the program wants to survive: the server may forget what was saved. One
 * that fails is tried again with the next confirmation, and the server is not told before it succeeds.
 */
export interface PositionStore {
  /** The position saved last; undefined on the very first run. */
  load(): Promise<Position | undefined>;
  save(position: Position): Promise<void>;
}

/** Forgets with the program; the server then goes on from what this device confirmed last. */
export class MemoryStore implements PositionStore {
  position: Position | undefined;

  constructor(position?: Position) {
    this.position = position;
  }

  async load(): Promise<Position | undefined> {
    return this.position;
  }

  async save(position: Position): Promise<void> {
    this.position = position;
  }
}

/** One entry of a browser's `localStorage`. What cannot be read as a position counts as none. */
export class WebStorageStore implements PositionStore {
  readonly #storage: Pick<Storage, "getItem" | "setItem">;
  readonly #key: string;

  /** `key` must tell apart whatever accounts and devices share this storage. */
  constructor(key: string, storage: Pick<Storage, "getItem" | "setItem"> = localStorage) {
    this.#key = key;
    this.#storage = storage;
  }

  async load(): Promise<Position | undefined> {
    try {
      const found: unknown = JSON.parse(this.#storage.getItem(this.#key) ?? "null");
      if (!isObject(found)) return undefined;
      const { epoch, seq } = found;
      return typeof epoch === "string" && Number.isSafeInteger(seq) ? { epoch, seq: seq as number } : undefined;
    } catch {
      return undefined;
    }
  }

  async save(position: Position): Promise<void> {
    this.#storage.setItem(this.#key, JSON.stringify(position));
  }
}
