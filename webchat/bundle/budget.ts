/**
 * How much JavaScript stands between a person and their messages: the entry and all that it imports at once.
 *
 * What is loaded later (`import()`) does not count.
 */

import { gzipSync } from "node:zlib";

// 1.6 s on a slow phone's 3G (400 ms round trip, 1.6 Mbit/s); React is half of it.
export const MOST_BYTES = 130_000;

/** As much of a bundler's chunk as is needed here. */
export interface Chunk {
  readonly type: "chunk";
  readonly fileName: string;
  readonly isEntry: boolean;
  readonly imports: readonly string[];
  readonly code: string;
}

export interface Weighed {
  readonly fileName: string;
  readonly gzipBytes: number;
}

/** What the first load brings, the heaviest first. */
export function firstLoad(chunks: readonly Chunk[]): Weighed[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const needed = new Set(chunks.filter((chunk) => chunk.isEntry));
  for (const chunk of needed) {
    for (const name of chunk.imports) {
      const imported = byName.get(name);
      if (imported !== undefined) needed.add(imported);
    }
  }
  return [...needed]
    .map(({ fileName, code }) => ({ fileName, gzipBytes: gzipSync(code, { level: 9 }).length }))
    .toSorted((one, other) => other.gzipBytes - one.gzipBytes);
}

/** A table for whoever builds, and whether it is too much. */
export function judge(weighed: readonly Weighed[], most = MOST_BYTES): { table: string; isTooMuch: boolean } {
  const total = weighed.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
  const line = (bytes: number, what: string): string => `${(bytes / 1000).toFixed(1).padStart(8)} kB  ${what}`;
  const rows = weighed.map(({ fileName, gzipBytes }) => line(gzipBytes, fileName));
  const table = ["first load, gzip:", ...rows, line(total, `of at most ${(most / 1000).toFixed(0)} kB`)].join("\n");
  return { table, isTooMuch: total > most };
}
