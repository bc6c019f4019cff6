/** How the web chat is bundled and how its unit tests run. */

import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "vite";
import { LICENSES } from "./bundle/emoji.ts";
import { webchat } from "./bundle/plugin.ts";

// Older targets would have `light-dark()` rewritten into something that ignores a `color-scheme` set by script.
const BROWSERS = ["chrome123", "firefox128", "safari17.5"];
const SERVER = process.env["AMTRIO_SERVER"] ?? "http://127.0.0.1:8080";
const API =
  "^/(account|admin|agent|agents|attachments|auth|client|conversations|health|keys|messages|notification-prefs|" +
  "notifications|presence|push|runs|search|snapshot|tags|version)(/|$|\\?)";

const config: UserConfig & { test: object } = {
  plugins: [react(), webchat(BROWSERS)],
  resolve: { alias: { "@amtrio/client": fileURLToPath(new URL("sdk/src/index.ts", import.meta.url)) } },
  // The host stays that of the page: the server gives its cookie to no other.
  server: { proxy: { [API]: { target: SERVER, ws: true } } },
  build: {
    target: BROWSERS,
    cssTarget: BROWSERS,
    // Nothing is inlined as data: the policy of the page allows it for images alone, and a file can be cached.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: LICENSES },
    // What the first page needs is in as few files as can be: on a phone's line each request costs more than what it brings.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "start", tags: ["$initial"] }] } } },
  },
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.{ts,tsx}"],
    setupFiles: ["test/setup.ts"],
    restoreMocks: true,
    testTimeout: 20_000,
  },
};

export default defineConfig(config);
