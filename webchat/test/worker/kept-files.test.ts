import { afterEach, expect, test, vi } from "vitest";
import { keep, kept } from "../../src/worker/kept-files.ts";

afterEach(() => vi.unstubAllGlobals());

test("where the store of a browser is broken, nothing counts as kept, and nothing fails", async () => {
  const broken = async (): Promise<never> => {
    throw new DOMException("Internal error", "UnknownError");
  };
  vi.stubGlobal("caches", { open: broken, match: broken });
  expect(await kept("/", "amtrio-files-1")).toBeUndefined();
  expect(await kept("/assets/of-the-build-before.js")).toBeUndefined();
  await expect(keep("amtrio-files-1", "/emoji/en.json", new Response("{}"))).resolves.toBeUndefined();
});

test("what was kept under a name is found there, and without a name anywhere", async () => {
  const files = new Map<string, Response>();
  const cache = {
    put: async (url: string, file: Response) => void files.set(url, file),
    match: async (url: string) => files.get(url),
  };
  vi.stubGlobal("caches", { open: async () => cache, match: cache.match });
  await keep("amtrio-files-1", "/emoji/en.json", new Response("{}"));
  expect(await (await kept("/emoji/en.json", "amtrio-files-1"))?.text()).toBe("{}");
  expect(await kept("/emoji/en.json")).toBeDefined();
  expect(await kept("/emoji/de.json", "amtrio-files-1")).toBeUndefined();
});
