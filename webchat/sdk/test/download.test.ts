import { expect, test } from "vitest";
import { Refused, Rest, Unreachable } from "../src/index.js";

function answering(answer: () => Response): { rest: Rest; asked: [unknown, RequestInit | undefined][] } {
  const asked: [unknown, RequestInit | undefined][] = [];
  const fetch = async (address: unknown, init?: RequestInit): Promise<Response> => {
    asked.push([address, init]);
    return answer();
  };
  return { rest: new Rest({ url: "https://chat.example.org", token: "secret", fetch }), asked };
}

function streaming(pieces: string[], end: "close" | "error" = "close"): Response {
  const left = pieces.map((piece) => new TextEncoder().encode(piece));
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(stream) {
      const piece = left.shift();
      if (piece !== undefined) stream.enqueue(piece);
      else if (end === "close") stream.close();
      else stream.error(new TypeError("cut"));
    },
  });
  return new Response(body, { headers: { "Content-Type": "application/zip" } });
}

test("a file comes as a whole, with its type, and says how much of it has come", async () => {
  const { rest, asked } = answering(() => streaming(["abc", "de"]));
  const progress: number[] = [];
  const file = await rest.download("/account/export", { onProgress: (received) => progress.push(received) });

  expect(await file.text()).toBe("abcde");
  expect(file.type).toBe("application/zip");
  expect(progress).toEqual([3, 5]);
  expect(asked).toEqual([
    ["https://chat.example.org/account/export", { headers: { Authorization: "Bearer secret" } }],
  ]);
});

test("a file larger than one blob keeps its order", async () => {
  const large = "x".repeat(9 * 1024 * 1024);
  const { rest } = answering(() => streaming([`1${large}`, `2${large}`, "3"]));
  const text = await (await rest.download("/account/export")).text();

  expect(text.replaceAll("x", "")).toBe("123");
  expect(text.length).toBe(2 * large.length + 3);
});

test("an answer without a body is an empty file", async () => {
  const { rest } = answering(() => new Response(null));
  expect((await rest.download("/account/export")).size).toBe(0);
});

test("a refusal is a refusal, with how long to wait", async () => {
  const body = { error: "five in an hour are enough", code: "rate_limited", retry: "after_ms", retry_after_ms: 7000 };
  const { rest } = answering(() => Response.json(body, { status: 429 }));
  const error = await rest.download("/account/export").catch((reason: unknown) => reason);

  expect(error).toBeInstanceOf(Refused);
  expect((error as Refused).retryAfterMs).toBe(7000);
});

test("a connection that is cut in the middle leaves no half of a file", async () => {
  const { rest } = answering(() => streaming(["abc"], "error"));
  await expect(rest.download("/account/export")).rejects.toBeInstanceOf(Unreachable);
});
