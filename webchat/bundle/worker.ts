/**
 * The service worker: one classic script without a hash in its name, which knows the files of this build.
 *
 * Built apart from the app, so that it shares no chunk with it: browsers fetch it alone, and compare it byte by byte.
 */

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Rolldown } from "vite";
import { filesIn, TWIN } from "./folder.ts";

// Fetched when somebody needs them: emoji data are large, and icons are for the system.
const LATER = /^(emoji\/|icon-.*\.png$|licenses\.txt$|robots\.txt$|sw\.js$)/;

/** Write `sw.js` into a folder in which everything else is. */
export async function buildWorker(root: string, folder: string, target: string[]): Promise<void> {
  const names = (await filesIn(folder)).filter((name) => !TWIN.test(name) && !LATER.test(name));
  const files = names.map((name) => (name === "index.html" ? "/" : `/${name}`));
  const built = await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    define: { __FILES__: JSON.stringify(files), __REVISION__: JSON.stringify(await revision(folder, names)) },
    build: {
      write: false,
      target,
      rolldownOptions: { input: "src/worker/sw.ts", output: { format: "iife", entryFileNames: "sw.js" } },
    },
  });
  const [script] = (built as Rolldown.RolldownOutput).output;
  await writeFile(join(folder, "sw.js"), script.code);
}

/** Changes with any byte of any file: browsers take a worker for a new one only if its text differs. */
async function revision(folder: string, names: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of names) hash.update(name).update(await readFile(join(folder, name)));
  return hash.digest("hex").slice(0, 12);
}
