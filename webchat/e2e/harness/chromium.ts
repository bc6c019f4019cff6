/** Which browser runs the tests. Nothing is downloaded: it is the one of the system. */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export const CHROMIUM_FLAGS = [
  // Containers and CI run as root, where the sandbox of Chromium refuses to start.
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A name without TLS that is not this machine's own: what people have at home, where browsers withhold a good deal.
  "--host-resolver-rules=MAP chat.home.test 127.0.0.1",
  // A microphone that beeps, for voice notes. Whether it may be used is still asked for: `permissions` of the context.
  "--use-fake-device-for-media-stream",
];

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** `$CHROMIUM`, else what is on the PATH. `deploy/node.py` looks in the same places. */
export function findChromium(): string {
  const named = process.env["CHROMIUM"];
  if (named) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const name of NAMES) {
    const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
  }
  throw new Error("no Chromium found: install it (Debian: apt install chromium), or say where it is in $CHROMIUM");
}
