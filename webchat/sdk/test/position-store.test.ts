import { expect, test } from "vitest";
import { WebStorageStore } from "../src/index.js";

class FakeStorage {
  readonly entries = new Map<string, string>();
  getItem(key: string): string | null {
    return this.entries.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.entries.set(key, value);
  }
}

test("what was saved is loaded, by its key", async () => {
  const storage = new FakeStorage();
  await new WebStorageStore("alice", storage).save({ epoch: "ep", seq: 7 });

  expect(await new WebStorageStore("alice", storage).load()).toEqual({ epoch: "ep", seq: 7 });
  expect(await new WebStorageStore("bob", storage).load()).toBeUndefined();
});

test.each(["", "nonsense", "null", "[]", '{"epoch":"ep"}', '{"epoch":1,"seq":1}', '{"epoch":"ep","seq":1.5}'])(
  "%s is no position",
  async (text) => {
    const storage = new FakeStorage();
    storage.setItem("alice", text);

    expect(await new WebStorageStore("alice", storage).load()).toBeUndefined();
  },
);

test("a storage that refuses is the caller's to hear of", async () => {
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error("quota");
    },
  };

  await expect(new WebStorageStore("alice", full).save({ epoch: "ep", seq: 7 })).rejects.toThrow("quota");
});
