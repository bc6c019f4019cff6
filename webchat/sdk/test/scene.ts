/**
 * A connection to a server that the test plays, on a clock that the test moves.
 *
 * Importing it sets both up before each test and takes them down after it.
 */

import { afterEach, beforeEach, vi } from "vitest";
import { connect, type AmtrioEvent, type Connection, type ConnectionOptions } from "../src/index.js";
import { FakeServer } from "./fake-server.js";

export let server: FakeServer;
export let connection: Connection;
/** What the loop was given. */
export let seen: AmtrioEvent[];
/** Ends as the loop does. */
export let over: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  begin();
});
afterEach(async () => {
  await left();
  vi.useRealTimers();
});

export const after = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
export const numbers = (): number[] => seen.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
export const types = (): string[] => seen.map(({ type }) => type);

export function begin(): void {
  server = new FakeServer();
  seen = [];
}

/** A connection that waits for its first socket to be let in. */
export async function connected(options: Partial<ConnectionOptions> = {}): Promise<void> {
  connection = connect({
    url: "https://chat.example.org/amtrio/",
    token: "secret",
    deviceId: "phone-1",
    client: "my-app/1.0",
    hints: null,
    random: () => 0,
    WebSocket: server.WebSocket,
    ...options,
  });
  await after(0);
}

/** Loop over its events from now on. */
export function watch(): void {
  over = (async () => {
    for await (const event of connection) seen.push(event);
  })();
  over.catch(() => {});
}

export async function watched(options: Partial<ConnectionOptions> = {}): Promise<void> {
  await connected(options);
  watch();
}

/** Close it, however long that takes. */
export async function left(): Promise<void> {
  const closing = connection?.close();
  await after(2000);
  await closing;
}
