/**
 * How much JavaScript stands between a person and what they came for: the first page, then their list of chats.
 *
 * What either loads later (`import()`) does not count.
 */

import { gzipSync } from "node:zlib";

export interface Budget {
  readonly name: string;
  /** Whether a chunk is loaded for itself, and not because another one imports it. */
  readonly begins: (chunk: Chunk) => boolean;
  readonly mostBytes: number;
}

export const BUDGETS: readonly Budget[] = [
  // 1.6 s on a slow phone's 3G (400 ms round trip, 1.6 Mbit/s); React is half of it.
  { name: "first load", begins: ({ isEntry }) => isEntry, mostBytes: 130_000 },
  // A person signs in in between; afterwards both are on the device.
  { name: "first load and the list of chats", begins: ({ isEntry, name }) => isEntry || name === "shell", mostBytes: 138_000 },
];

/** As much of a bundler's chunk as is needed here. */
export interface Chunk {
  readonly type: "chunk";
  /** That of the module that it begins with. */
  readonly name: string;
  readonly fileName: string;
  readonly isEntry: boolean;
  readonly imports: readonly string[];
  readonly code: string;
}

export interface Weighed {
  readonly fileName: string;
  readonly gzipBytes: number;
}

/** What is loaded for these chunks, the heaviest first. */
export function weigh(chunks: readonly Chunk[], begins: Budget["begins"]): Weighed[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const needed = new Set(chunks.filter(begins));
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
export function judge(weighed: readonly Weighed[], { name, mostBytes: most }: Pick<Budget, "name" | "mostBytes">): { table: string; isTooMuch: boolean } {
  const total = weighed.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
  const line = (bytes: number, what: string): string => `${(bytes / 1000).toFixed(1).padStart(8)} kB  ${what}`;
  const rows = weighed.map(({ fileName, gzipBytes }) => line(gzipBytes, fileName));
  const table = [`${name}, gzip:`, ...rows, line(total, `of at most ${(most / 1000).toFixed(0)} kB`)].join("\n");
  return { table, isTooMuch: total > most };
}
