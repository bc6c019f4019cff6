import { describe, expect, test } from "vitest";
import { Refused, Rest, Unreachable } from "../src/index.js";
import { httpUrl, socketUrl } from "../src/http.js";
import { examples } from "./protocol-examples.js";

interface Asked {
  method: string;
  address: string;
  headers: Record<string, string>;
  body: unknown;
}

/** A server that gives one answer to everything, and what it was asked. */
function answering(answer: () => Response): { rest: Rest; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch = async (address: unknown, init: RequestInit = {}): Promise<Response> => {
    const { method = "GET", headers, body } = init;
    asked.push({ method, address: String(address), headers: headers as Record<string, string>, body });
    init.signal?.throwIfAborted();
    return answer();
  };
  return { rest: new Rest({ url: "https://chat.example.org/", token: "secret", fetch }), asked };
}

describe("requests", () => {
  test("carry the credential in a header, ids percent-encoded, and nothing that is undefined", async () => {
    const { rest, asked } = answering(() => Response.json({}));
    await rest.updateConversation("a/b", { title: null, tags: ["x"] });
    await rest.conversations({ limit: 3 });

    expect(asked).toEqual([
      {
        method: "PATCH",
        address: "https://chat.example.org/conversations/a%2Fb",
        headers: { Authorization: "Bearer secret", "Content-Type": "application/json" },
        body: '{"title":null,"tags":["x"]}',
      },
      {
        method: "GET",
        address: "https://chat.example.org/conversations?limit=3",
        headers: { Authorization: "Bearer secret" },
        body: undefined,
      },
    ]);
  });

  test("of a file send its bare bytes and its name", async () => {
    const { rest, asked } = answering(() => Response.json({ attachment_id: "att_01" }));
    const file = new File(["abc"], "Grüße.txt", { type: "text/plain" });
    const progress: number[][] = [];
    await rest.upload(file, { conversationId: "conv_01", onProgress: (...step) => progress.push(step) });

    expect(asked[0]!.address).toBe(
      "https://chat.example.org/attachments?filename=Gr%C3%BC%C3%9Fe.txt&conversation_id=conv_01",
    );
    expect(asked[0]!.headers["Content-Type"]).toBe("text/plain");
    expect(asked[0]!.body).toBe(file);
    expect(progress).toEqual([[3, 3]]);
  });

  test("of ciphertext say that it is, so that the server looks for nothing in it", async () => {
    const { rest, asked } = answering(() => Response.json({ attachment_id: "att_01" }));
    await rest.upload(new Blob(["\u0000"]), { filename: "encrypted", isEncrypted: true });

    expect(asked[0]!.address).toBe("https://chat.example.org/attachments?filename=encrypted&encrypted=true");
  });

  test("keep the token that signing in gave, and drop it after signing out", async () => {
    const { rest } = answering(() => Response.json({ token: "fresh" }));
    await rest.login("alice", "x", "phone-1");
    expect(rest.token).toBe("fresh");
    await rest.logout();

    expect(rest.token).toBeUndefined();
  });
});

describe("answers", () => {
  test("that say no are Refused, with the server's words", async () => {
    const [body] = examples("json rest-error");
    const { rest } = answering(() => new Response(body!, { status: 404 }));

    const error = await rest.message("msg_01").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({ code: "not_found", status: 404, retry: "no", message: "conversation not found: 'conv_99'" });
  });

  test("that say wait say how long", async () => {
    const { rest } = answering(() => new Response("busy", { status: 503, headers: { "Retry-After": "2" } }));

    await expect(rest.agents()).rejects.toMatchObject({ status: 503, retry: "after_ms", retryAfterMs: 2000 });
  });

  test("that are no JSON come from another server", async () => {
    const { rest } = answering(() => new Response("<html>"));

    await expect(rest.agents()).rejects.toBeInstanceOf(Unreachable);
  });

  test("that do not come are Unreachable, unless the caller stopped waiting", async () => {
    const { rest } = answering(() => {
      throw new TypeError("fetch failed");
    });

    await expect(rest.agents()).rejects.toBeInstanceOf(Unreachable);
    await expect(rest.search({ q: "x" }, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  });

  test("with a page of history say in headers whether there is more", async () => {
    const headers = { "X-Amtrio-Has-More": "true", "X-Amtrio-Epoch": "ep", "X-Amtrio-Seq": "43" };
    const { rest } = answering(() => Response.json([], { headers }));

    expect(await rest.history("conv_01")).toEqual({ conversation_id: "conv_01", messages: [], has_more: true, epoch: "ep", seq: 43 });
  });

  test("of a snapshot whose history changed between two pages count for nothing", async () => {
    const [example] = examples("json rest-snapshot");
    const pages = [{ ...JSON.parse(example!), next: "conv_01" }, { ...JSON.parse(example!), epoch: "other" }];
    const { rest } = answering(() => Response.json(pages.shift()));

    await expect(rest.snapshot()).rejects.toMatchObject({ code: "snapshot_moved" });
  });
});

describe("addresses", () => {
  test.each([
    ["wss://a.example/", "https://a.example"],
    ["http://a.example:8080/chat//", "http://a.example:8080/chat"],
  ])("%s is %s", (given, expected) => {
    expect(httpUrl(given)).toBe(expected);
  });

  test("of a socket follow from it", () => {
    expect(socketUrl("https://a.example/chat", "/client/connect")).toBe("wss://a.example/chat/client/connect");
  });
});
