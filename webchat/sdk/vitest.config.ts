import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The real server takes a second or two to start, and as long to stop.
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
