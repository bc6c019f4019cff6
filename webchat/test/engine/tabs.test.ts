import { afterEach, expect, test, vi } from "vitest";
import { alone, anotherDeviceId, deviceId, Tabs } from "../../src/engine/tabs.ts";

afterEach(() => vi.unstubAllGlobals());

/** Web Locks of one browser, in which each call is another tab. */
function locks() {
  const held = new Set<string>();
  vi.stubGlobal("navigator", {
    locks: {
      async request(name: string, ...rest: unknown[]) {
        const work = rest.at(-1) as (lock: object | null) => unknown;
        if (held.has(name)) return work(null);
        held.add(name);
        const done = await work({});
        held.delete(name);
        return done;
      },
    },
  });
}

test("each open tab is another device of the same browser, and a later one takes the place of a closed one", async () => {
  locks();
  const [one, two] = [await deviceId(), await deviceId()];
  expect(one).toMatch(/^web-[0-9a-f]{12}-1$/);
  expect(two).toBe(one.replace(/1$/, "2"));
});

test("without Web Locks a tab is the same device after a reload, and another one where its id went to a copy", async () => {
  const before = await deviceId();
  expect(await deviceId()).toBe(before);
  const after = await anotherDeviceId();
  expect(after).not.toBe(before);
  expect(await deviceId()).toBe(after);
});

test("without Web Locks one thing is done after the other, also after one that failed", async () => {
  const done: string[] = [];
  const first = alone("work", async () => {
    await Promise.resolve();
    done.push("one");
    throw new Error("no");
  });
  const second = alone("work", async () => void done.push("two"));
  await expect(first).rejects.toThrow("no");
  await second;
  expect(done).toEqual(["one", "two"]);
});

test("tabs hear each other, and not themselves", async () => {
  const [one, two] = [new Tabs(), new Tabs()];
  const heard: string[] = [];
  one.listen((news) => heard.push(`one ${news.kind}`));
  const told = new Promise<void>((resolve) => {
    two.listen((news) => {
      heard.push(`two ${news.kind}`);
      resolve();
    });
  });
  one.tell({ kind: "outbox", userId: "alice" });
  await told;
  expect(heard).toEqual(["two outbox"]);
  one.close();
  two.close();
});
