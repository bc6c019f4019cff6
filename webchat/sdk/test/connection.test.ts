import { describe, expect, test } from "vitest";
import { AuthenticationEnded, Closed, connect, MemoryStore, Refused, type Hint } from "../src/index.js";
import { after, connected, connection, over, server, watched } from "./scene.js";

describe("hello", () => {
  test("is the first frame and carries the credential, the address does not", async () => {
    await connected();
    server.socket.opens();

    expect(server.socket.url).toBe("wss://chat.example.org/amtrio/client/connect");
    expect(server.socket.heard).toEqual([
      { type: "hello", data: { token: "secret", device_id: "phone-1", client: "my-app/1.0" } },
    ]);
  });

  test("says where the place is that was kept", async () => {
    await connected({ store: new MemoryStore({ epoch: "ep", seq: 41 }) });
    server.socket.opens();

    expect(server.socket.heard[0]!.data).toMatchObject({ since: 41, epoch: "ep" });
  });

  test("refused for the credential ends the loop for good", async () => {
    await watched();
    server.socket.opens();
    server.socket.says({ type: "error", data: { error: "the session has ended", code: "unauthorized", retry: "no" } });
    server.socket.drops(4401);

    await expect(over).rejects.toThrow(new AuthenticationEnded("the session has ended"));
    await after(60_000);
    expect(server.sockets).toHaveLength(1);
  });

  test("refused for being none ends the loop, and is no answer to what was to be said: that fails as unanswered", async () => {
    await watched();
    server.socket.opens();
    const said = connection.send("message", { conversation_id: "c1", content: "hello", client_id: "k1" });
    server.socket.drops(4400, "the first frame was no hello");

    await expect(over).rejects.toMatchObject({ name: "Refused", code: "malformed" });
    await expect(said).rejects.toMatchObject({ name: "ClientError" });
    const late = connection.send("message", { conversation_id: "c1", content: "hello", client_id: "k2" });
    await expect(late).rejects.toMatchObject({ name: "ClientError" });
  });

  test("refused for a replacement loop is said again when the server wishes", async () => {
    await watched();
    server.socket.opens();
    server.socket.says({ type: "error", data: { error: "x", code: "replacement_loop", retry: "after_ms", retry_after_ms: 9000 } });
    server.socket.drops(4409);

    await after(8999);
    expect(server.sockets).toHaveLength(1);
    await after(1);
    expect(server.sockets).toHaveLength(2);
  });

  test("is not said to a server of another version", async () => {
    await watched();
    server.socket.opens("");

    await expect(over).rejects.toMatchObject({ code: "unsupported_version" });
    expect(server.socket.heard).toEqual([]);
  });

  test("that is not answered is said again on another socket", async () => {
    await watched();
    server.socket.opens();
    await after(20_500);

    expect(server.sockets).toHaveLength(2);
    expect(server.sockets[0]!.isOver).toBe(true);
  });
});

describe("commands", () => {
  const say = (content: string): Promise<unknown> => connection.send("message", { conversation_id: "conv_01", content });

  test("are answered, and have a client_id of their own", async () => {
    await connected();
    server.socket.lets(5);
    const sending = connection.send("read", { conversation_id: "conv_01" });
    server.socket.answers("read", "done", { read_up_to: 8 });

    expect((await sending).read_up_to).toBe(8);
    expect(server.socket.said("read")[0]!["client_id"]).toMatch(/^[0-9a-f]{32}$/);
  });

  test("without an answer go again over the next socket, in order and with the same ids", async () => {
    await connected();
    const all = Promise.allSettled([say("one"), say("two")]); // said before there was a socket at all
    server.socket.lets(5);
    const first = server.socket.said("message");
    expect(first.map((data) => data["content"])).toEqual(["one", "two"]);
    server.socket.drops(1012);
    await after(500);
    server.socket.lets(5);

    expect(server.socket.said("message")).toEqual(first);
    for (const { ref } of server.socket.heard.slice(1)) server.socket.says({ type: "message_sent", ref, data: {} });
    expect((await all).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  });

  test("wait as long as the rate limit says, and nothing overtakes", async () => {
    await connected();
    server.socket.lets(5);
    const all = Promise.allSettled([say("one")]);
    const refusal = { error: "x", code: "rate_limited", retry: "after_ms", retry_after_ms: 700 };
    server.socket.answers("message", "error", refusal);
    void say("two").catch(() => {});
    await after(699);
    expect(server.socket.said("message")).toHaveLength(1);
    await after(1);

    expect(server.socket.said("message").map((data) => data["content"])).toEqual(["one", "one", "two"]);
    await connection.close();
    await all;
  });

  test("longer than the server takes fail here, and the socket stays", async () => {
    await connected();
    server.socket.lets(5, "ep", { limits: { max_message_bytes: 1000 } });

    await expect(say("x".repeat(1000))).rejects.toMatchObject({ code: "too_large" });
    expect(server.socket.said("message")).toEqual([]);
    expect(connection.isOnline).toBe(true);
  });

  test("fail when the server says no, or nobody waits any more", async () => {
    await connected();
    server.socket.lets(5);
    const refused = say("one");
    server.socket.answers("message", "error", { error: "not there", code: "not_found", retry: "no" });
    const stop = new AbortController();
    const left = connection.send("history", { conversation_id: "conv_01" }, { signal: stop.signal });
    stop.abort();

    await expect(refused).rejects.toThrow(new Refused("not there", { code: "not_found" }));
    await expect(left).rejects.toMatchObject({ name: "AbortError" });
  });

  test("about this moment are forgotten without a socket", async () => {
    await connected();
    expect(connection.tell("typing", { conversation_id: "conv_01", typing: true })).toBe(false);
    server.socket.lets(5);

    expect(server.socket.said("typing")).toEqual([]);
    expect(connection.tell("typing", { conversation_id: "conv_01", typing: true })).toBe(true);
    expect(server.socket.said("typing")).toHaveLength(1);
  });
});

describe("signs of life", () => {
  test("are asked for as often as the server says; without any there is another socket", async () => {
    await watched();
    server.socket.lets(5);
    await after(25_000);
    expect(server.socket.said("ping")).toHaveLength(1);
    server.socket.answers("ping", "pong", {});
    await after(25_000);
    expect(server.socket.said("ping")).toHaveLength(2);
    await after(9999);
    expect(server.socket.isOver).toBe(false);
    await after(1);
    expect(server.socket.isOver).toBe(true);
    await after(500);

    expect(server.sockets).toHaveLength(2);
  });
});

describe("hints", () => {
  let hint: (hint: Hint) => void;
  let isSeen = false;
  const hints = {
    isSeen: () => isSeen,
    listen: (listener: typeof hint) => {
      hint = listener;
      return () => {};
    },
  };

  test("of a network that is back end the wait", async () => {
    await watched({ hints });
    for (let times = 0; times < 6; times += 1) {
      server.socket.drops();
      await after(times < 5 ? 30_000 : 0);
    }
    const before = server.sockets.length;
    hint("network");
    await after(0);

    expect(server.sockets).toHaveLength(before + 1);
  });

  test("of a network that is gone are looked into, not believed", async () => {
    await watched({ hints });
    server.socket.lets(5);
    hint("no_network");

    expect(server.socket.said("ping")).toHaveLength(1);
    server.socket.says({ type: "pong", ref: "ping", data: {} });
    await after(10_000);
    expect(connection.isOnline).toBe(true);
    expect(server.sockets).toHaveLength(1);
  });

  test("of a network that is gone are believed within a second by a socket that shows no sign of life", async () => {
    await watched({ hints });
    server.socket.lets(5);
    // A check that is under way is no reason to wait for it.
    connection.nudge();
    hint("no_network");
    await after(1000);

    expect(connection.isOnline).toBe(false);
    for (let times = 0; times < 4; times += 1) {
      await after(30_000);
      server.socket.drops();
    }
    await after(0);
    const before = server.sockets.length;
    hint("no_network");
    await after(0);
    expect(server.sockets).toHaveLength(before);
    hint("network");
    await after(0);
    expect(server.sockets).toHaveLength(before + 1);
  });

  test("that somebody looks are told at once, every 30 seconds, on each socket, and once at the end", async () => {
    isSeen = true;
    await watched({ hints });
    server.socket.lets(5);
    expect(server.socket.said("visible")).toEqual([{ visible: true }]);
    await after(30_000);
    expect(server.socket.said("visible")).toHaveLength(2);
    hint("unseen");
    await after(60_000);

    expect(server.sockets[0]!.said("visible")).toEqual([{ visible: true }, { visible: true }, { visible: false }]);
  });
});

describe("close", () => {
  test("keeps and tells what is done, ends the loop and fails what waits", async () => {
    const store = new MemoryStore();
    await watched({ store });
    server.socket.lets(5);
    server.socket.logs(6);
    const waiting = connection.send("history", { conversation_id: "conv_01" }).catch((error: unknown) => error);
    await after(0);
    await connection.close();
    await over;

    expect(store.position).toEqual({ epoch: "ep", seq: 6 });
    expect(server.socket.said("ack")).toEqual([{ seq: 6 }]);
    expect(server.socket.isOver).toBe(true);
    expect(await waiting).toBeInstanceOf(Closed);
    await expect(connection.send("history", { conversation_id: "conv_01" })).rejects.toBeInstanceOf(Closed);
  });

  test("before the first socket leaves none behind", async () => {
    const leaving = connect({ url: "http://localhost", token: "x", hints: null, WebSocket: server.WebSocket });
    await leaving.close();
    await after(60_000);

    expect(server.sockets.every((socket) => socket.isOver)).toBe(true);
  });
});
