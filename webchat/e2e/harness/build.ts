/** Before the first test: the client is built from what the sources say now, unless `WEBCHAT_DIR` names one. */

import { fileURLToPath } from "node:url";
import { build } from "vite";

export const WEBCHAT = process.env["WEBCHAT_DIR"] || fileURLToPath(new URL("../../dist", import.meta.url));

export default async function setUp(): Promise<void> {
  if (process.env["WEBCHAT_DIR"]) return;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  await build({ root, configFile: `${root}/vite.config.ts`, mode: "production", logLevel: "warn" });
}
