import { afterEach, expect, test, vi } from "vitest";
import { alone, DeviceId, Tabs } from "../../src/engine/tabs.ts";
import { Locks } from "./locks.ts";

afterEach(() => vi.unstubAllGlobals());

test("each open tab is another device of the same browser, and a later one takes the place of one that is gone", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  const [first, second, third] = [new DeviceId(), new DeviceId(), new DeviceId()];
  const one = await first.take();
  expect(one).toMatch(/^web-[0-9a-f]{12}-1$/);
  expect(await second.take()).toBe(one.replace(/1$/, "2"));
  await first.giveBack();
  expect(await third.take()).toBe(one);
});

test("a tab whose id went to a copy holds the one before until it gives back both", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  const [mine, next] = [new DeviceId(), new DeviceId()];
  const before = await mine.take();
  expect(await mine.takeAnother()).toBe(before.replace(/1$/, "2"));
  await mine.giveBack();
  expect([await next.take(), await next.takeAnother()]).toEqual([before, before.replace(/1$/, "2")]);
});

test("an id that comes when nobody wants it any more is given back at once", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  const late = new DeviceId();
  const taking = late.take();
  await late.giveBack();
  expect(await new DeviceId().take()).toBe(await taking);
});

test("without Web Locks a tab is the same device after a reload, and another one where its id went to a copy", async () => {
  const before = await new DeviceId().take();
  const again = new DeviceId();
  expect(await again.take()).toBe(before);
  const after = await again.takeAnother();
  expect(after).not.toBe(before);
  expect(await new DeviceId().take()).toBe(after);
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
