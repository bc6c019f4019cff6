/** The files of a folder that was built. */

import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** Compressed twins of other files. */
export const TWIN = /\.(br|gz)$/;

/** All files below a folder, by their path in it with slashes, sorted; hidden ones are none of ours. */
export async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .filter((name) => !/(^|\/)\./.test(name))
    .toSorted();
}
