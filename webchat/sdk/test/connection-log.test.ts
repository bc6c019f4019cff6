import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { AuthenticationEnded, MemoryStore, type Position } from "../src/index.js";
import { after, begin, connected, connection, left, numbers, over, seen, server, types, watch, watched } from "./scene.js";

describe("events", () => {
  test("come in order, and once each, over a hole and a drop", async () => {
    await watched();
    server.socket.lets(5);
    server.socket.logs(6);
    server.socket.logs(8); // 7 is missing
    await after(0);
    expect(server.sockets).toHaveLength(2);
    server.socket.lets(5);
    server.socket.logs(6, 8);
    server.socket.drops();
    await after(500);
    server.socket.lets(8);
    server.socket.logs(9);
    await after(0);

    expect(numbers()).toEqual([6, 7, 8, 9]);
    expect(types().filter((type) => type !== "conversation_deleted")).toEqual(["online", "online", "offline", "online"]);
  });

  test("are asked for again from where the loop is done", async () => {
    await connected();
    server.socket.lets(5);
    server.socket.logs(6, 7);
    const events = connection[Symbol.asyncIterator]();
    for (const _ of ["online", 6, 7]) await events.next();
    server.socket.drops();
    await after(500);
    server.socket.opens();

    expect(server.socket.heard[0]!.data).toMatchObject({ since: 6, epoch: "ep" }); // the loop is at 7, not done with it
  });

  test("that this library does not know are shown as unknown and counted", async () => {
    await watched();
    server.socket.lets(5);
    server.socket.says({ type: "poll_opened", seq: 6, data: {} });
    server.socket.logs(7);
    await after(0);

    expect(numbers()).toEqual([6, 7]);
    expect(types()).toContain("unknown");
  });

  test("go on in a later loop after one was left early", async () => {
    await connected();
    server.socket.lets(5);
    server.socket.logs(6, 7);
    for await (const { seq } of connection) if (seq === 6) break;
    const next = await connection[Symbol.asyncIterator]().next();

    expect(next.value).toMatchObject({ seq: 7 });
    expect(connection.isOnline).toBe(true);
  });

  test("are for one loop at a time", async () => {
    await watched();

    await expect(connection[Symbol.asyncIterator]().next()).rejects.toThrow("two loops");
  });

  test("say each time how long it is until the next try", async () => {
    await watched();
    for (let times = 0; times < 4; times += 1) {
      server.socket.drops();
      await after(10_000);
    }

    expect(server.sockets).toHaveLength(5);
    expect(seen).toEqual(
      [500, 1000, 2000, 4000].map((wait) => ({ type: "offline", data: { reason: "", close_code: 1006, retry_in_ms: wait } })),
    );
  });

  test("come once each and in order, whatever sockets lose, repeat and cut off", async () => {
    const deeds = fc.array(fc.record({ deed: fc.constantFrom("tell", "skip", "repeat", "drop", "wait"), times: fc.nat(70) }));
    await fc.assert(
      fc.asyncProperty(deeds, async (script) => {
        begin();
        const store = new MemoryStore({ epoch: "ep", seq: 0 });
        await watched({ store });
        let socket = server.socket;
        let at = 0;
        const enter = (): void => {
          if (server.socket.heard.length > 0 || server.socket.isOver) return;
          socket = server.socket;
          socket.opens();
          at = socket.said("hello")[0]!["since"] as number;
          const data = { id: "usr_01", kind: "user", epoch: "ep", seq: at, head: at };
          socket.says({ type: "connected", data });
        };
        for (const { deed, times } of [...script, { deed: "wait", times: 0 }, { deed: "tell", times: 1 }]) {
          enter();
          if (deed === "tell") socket.logs(at + 1, (at += times));
          if (deed === "skip") at += times;
          if (deed === "repeat") socket.logs(Math.max(1, at - times), at);
          if (deed === "drop") socket.drops();
          if (deed === "wait") await after(40_000);
        }
        await after(40_000);
        enter();
        await after(1000);
        socket.logs(at + 1, at + 3);
        await after(1000);

        expect(numbers()).toEqual(numbers().map((_, index) => index + 1));
        expect(numbers().length).toBeGreaterThanOrEqual(3);
        expect(store.position!.seq).toBe(numbers().length);
        await left();
      }),
      { numRuns: 60 },
    );
  });

  test("do not pile up without end: what had no room is asked for again once there is some", async () => {
    await connected();
    server.socket.lets(0);
    server.socket.logs(1, 1500);
    await after(0);
    expect(server.sockets).toHaveLength(1);

    watch();
    await after(300);
    expect(server.sockets).toHaveLength(2);
    server.socket.opens();
    const { since } = server.socket.said("hello")[0]!;
    server.socket.says({ type: "connected", data: { id: "u", kind: "user", epoch: "ep", seq: since, head: 1500 } });
    server.socket.logs((since as number) + 1, 1500);
    await after(300);

    expect(numbers()).toEqual(Array.from({ length: 1500 }, (_, index) => index + 1));
  });
});

describe("confirmations", () => {
  test("are kept first and told then, after a quarter of a second", async () => {
    const kept: Position[] = [];
    const store = new (class extends MemoryStore {
      override async save(position: Position): Promise<void> {
        expect(server.socket.said("ack")).toHaveLength(kept.length);
        kept.push(position);
      }
    })();
    await watched({ store });
    server.socket.lets(5);
    server.socket.logs(6, 8);
    await after(249);
    expect(kept).toEqual([]);
    await after(1);

    expect(kept).toEqual([{ epoch: "ep", seq: 8 }]);
    expect(server.socket.said("ack")).toEqual([{ seq: 8 }]);
  });

  test("begin with the place where the very first socket did", async () => {
    const store = new MemoryStore();
    await watched({ store });
    server.socket.lets(41);
    await after(250);

    expect(store.position).toEqual({ epoch: "ep", seq: 41 });
  });

  test("do not wait where there are 64 of them", async () => {
    await watched({ store: new MemoryStore({ epoch: "ep", seq: 5 }) });
    server.socket.lets(5);
    server.socket.logs(6, 5 + 64);
    await after(0);

    expect(server.socket.said("ack")).toEqual([{ seq: 69 }]);
  });

  test("that cannot be kept are not told, and tried again with the next one", async () => {
    let isFull = true;
    const store = new (class extends MemoryStore {
      override async save(position: Position): Promise<void> {
        if (isFull) throw new Error("quota");
        await super.save(position);
      }
    })();
    await watched({ store });
    server.socket.lets(5);
    server.socket.logs(6);
    await after(250);
    expect(server.socket.said("ack")).toEqual([]);
    isFull = false;
    server.socket.logs(7);
    await after(250);

    expect(server.socket.said("ack")).toEqual([{ seq: 7 }]);
    expect(store.position).toEqual({ epoch: "ep", seq: 7 });
  });
});

describe("resync", () => {
  const pages = [
    { epoch: "restored", seq: 12, conversations: [{ conversation_id: "conv_01" }], next: "conv_01" },
    { epoch: "restored", seq: 12, conversations: [{ conversation_id: "conv_02" }], next: null },
  ];
  const asked: string[] = [];
  const fetch = async (address: unknown): Promise<Response> => {
    asked.push(String(address));
    return Response.json(pages[asked.length - 1]);
  };
  beforeEach(() => asked.splice(0));

  test("brings a snapshot, all pages of it, and goes on behind it", async () => {
    await watched({ store: new MemoryStore({ epoch: "ep", seq: 41 }), fetch });
    server.socket.lets(12, "restored");
    server.socket.says({ type: "resync", data: { epoch: "restored", seq: 12, reason: "epoch" } });
    await after(0);
    server.socket.opens();

    expect(asked).toEqual([
      "https://chat.example.org/amtrio/snapshot",
      "https://chat.example.org/amtrio/snapshot?after=conv_01&seq=12",
    ]);
    expect(server.socket.said("hello")[0]).toMatchObject({ since: 12, epoch: "restored" });
    server.socket.lets(12, "restored");
    server.socket.logs(13);
    await after(0);
    expect(types()).toEqual(["snapshot", "online", "conversation_deleted"]);
    expect((seen[0] as { data: { conversations: unknown[] } }).data.conversations).toHaveLength(2);
  });

  test("takes back what the loop has not seen yet, since the snapshot tells it too", async () => {
    await connected({ fetch });
    server.socket.lets(41);
    server.socket.logs(42, 44);
    server.socket.says({ type: "typing", data: { conversation_id: "conv_01", sender_id: "demo", typing: true } });
    server.socket.says({ type: "resync", data: { epoch: "restored", seq: 12, reason: "epoch" } });
    await after(0);
    watch();
    await after(0);

    expect(types()).toEqual(["online", "typing", "snapshot"]);
  });

  test("to another history is not told of places in the old one that were kept late", async () => {
    let kept = (): void => {};
    const store = new (class extends MemoryStore {
      override save(): Promise<void> {
        return new Promise((resolve) => (kept = resolve));
      }
    })();
    await watched({ store, fetch });
    server.socket.lets(41);
    server.socket.logs(42);
    await after(250);
    server.socket.drops();
    await after(500);
    server.socket.lets(12, "restored");
    await after(0);
    server.socket.lets(12, "restored");
    kept();
    await after(0);

    expect(server.sockets).toHaveLength(3);
    expect(server.socket.said("ack")).toEqual([]);
    kept();
    await after(250);
    kept();
    await after(0);
    expect(server.socket.said("ack")).toEqual([{ seq: 12 }]);
  });

  test("whose snapshot is refused for the credential ends the loop for good", async () => {
    const refused = async (): Promise<Response> => Response.json({ error: "ended", code: "unauthorized" }, { status: 401 });
    await watched({ withSnapshot: true, fetch: refused });

    await expect(over).rejects.toBeInstanceOf(AuthenticationEnded);
    expect(server.sockets).toHaveLength(0);
  });

  test("whose snapshot cannot be had now is tried again", async () => {
    let times = 0;
    const late = async (): Promise<Response> =>
      (times += 1) === 1
        ? Response.json({ error: "busy", code: "overloaded" }, { status: 503, headers: { "Retry-After": "3" } })
        : Response.json({ epoch: "ep", seq: 12, conversations: [], next: null });
    await watched({ withSnapshot: true, fetch: late });
    await after(2999);
    expect(times).toBe(1);
    await after(1);

    expect(types()).toEqual(["offline", "snapshot"]);
  });

  test("to another history sends again what was answered lately", async () => {
    await watched({ fetch });
    server.socket.lets(41);
    const sending = connection.send("message", { conversation_id: "conv_01", content: "x" });
    const [first] = server.socket.said("message");
    server.socket.answers("message", "message_sent", { message_id: "m" });
    await sending;
    server.socket.drops();
    await after(500);
    server.socket.lets(12, "restored");
    await after(0);
    server.socket.lets(12, "restored");

    expect(server.socket.said("message")).toEqual([first]);
  });

  test("without end is not asked for in a circle", async () => {
    const again = async (): Promise<Response> => Response.json({ epoch: "ep", seq: 12, conversations: [], next: null });
    await watched({ fetch: again });
    for (let times = 0; times < 5; times += 1) {
      server.socket.lets(12);
      server.socket.says({ type: "resync", data: { epoch: "ep", seq: 12, reason: "pruned" } });
      await after(0);
    }

    expect(server.sockets).toHaveLength(2);
    expect(types().at(-1)).toBe("offline");
  });
});
