/** Before the first test: the client is built from what the sources say now, unless `WEBCHAT_DIR` names one. */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

// Resolved here: servers run in folders of their own.
export const WEBCHAT = resolve(process.env["WEBCHAT_DIR"] || fileURLToPath(new URL("../../dist", import.meta.url)));

export default async function setUp(): Promise<void> {
  if (process.env["WEBCHAT_DIR"]) return;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  await build({ root, configFile: `${root}/vite.config.ts`, mode: "production", logLevel: "warn" });
}
