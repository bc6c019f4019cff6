/** How the tests in a browser run: the client as it is built, against real servers, in the Chromium of this machine. */

import { defineConfig } from "@playwright/test";
import { CHROMIUM_FLAGS, findChromium } from "./e2e/harness/chromium.ts";

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results/runs",
  globalSetup: "./e2e/harness/build.ts",
  // Specs of one file may share what one worker's server knows; files are spread over the workers.
  fullyParallel: false,
  workers: 2,
  // A machine that is busy with something else for a moment is no fault of the client; one that is shows twice.
  retries: process.env["CI"] ? 1 : 0,
  forbidOnly: Boolean(process.env["CI"]),
  // A server that is killed and comes back, and a client that waits for it, on two cores that are busy.
  timeout: 45_000,
  expect: { timeout: 10_000 },
  reporter: process.env["CI"] ? [["dot"], ["html", { open: "never" }]] : [["list"]],
  use: {
    locale: "en-US",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1280, height: 800 },
    // It fetches the whole client for each browser; specs that need one say so: test.use({ serviceWorkers: "allow" }).
    serviceWorkers: "block",
    // A trace makes pages several times slower: TRACE=1 for one that is to be looked into.
    trace: process.env["TRACE"] ? "retain-on-failure" : "off",
    screenshot: "only-on-failure",
    launchOptions: { executablePath: findChromium(), args: CHROMIUM_FLAGS },
  },
});
