import { afterEach, expect, test, vi } from "vitest";
import { Refused, Rest, Unreachable } from "../src/index.js";

/** A browser's XMLHttpRequest, played by a test. */
class FakeXhr {
  static last: FakeXhr;
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
  readonly headers: Record<string, string> = {};
  onloadend = (): void => {};
  address = "";
  status = 0;
  statusText = "";
  responseText = "";
  body: unknown;

  constructor() {
    FakeXhr.last = this;
  }

  open(method: string, address: string): void {
    this.address = `${method} ${address}`;
  }
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  getResponseHeader(name: string): string | null {
    return name === "Retry-After" && this.status === 429 ? "3" : null;
  }
  send(body: unknown): void {
    this.body = body;
  }
  abort(): void {
    this.onloadend();
  }
  ends(status: number, responseText: string): void {
    Object.assign(this, { status, responseText });
    this.onloadend();
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
});

const file = new File(["shopping list"], "list.txt", { type: "text/plain" });
function uploading(signal?: AbortSignal): { done: Promise<unknown>; progress: number[][] } {
  vi.stubGlobal("XMLHttpRequest", FakeXhr);
  const progress: number[][] = [];
  const rest = new Rest({ url: "https://chat.example.org", token: "secret" });
  const onProgress = (sent: number, total: number): void => void progress.push([sent, total]);
  const done = rest.upload(file, { onProgress, ...(signal ? { signal } : {}) });
  done.catch(() => {});
  return { done, progress };
}

test("a browser tells how far it got", async () => {
  const { done, progress } = uploading();
  FakeXhr.last.upload.onprogress!({ loaded: 5 });
  FakeXhr.last.upload.onprogress!({ loaded: 13 });
  FakeXhr.last.ends(201, '{"attachment_id":"att_01","id":"att_01","width":null}');

  expect(await done).toEqual({ attachment_id: "att_01" });
  expect(progress).toEqual([[5, 13], [13, 13]]);
  expect(FakeXhr.last.address).toBe("POST https://chat.example.org/attachments?filename=list.txt");
  expect(FakeXhr.last.headers).toEqual({ Authorization: "Bearer secret", "Content-Type": "text/plain" });
  expect(FakeXhr.last.body).toBe(file);
});

test("what the server refuses is Refused, and says when to come again", async () => {
  const { done } = uploading();
  FakeXhr.last.ends(429, '{"error":"too fast","code":"rate_limited"}');

  await expect(done).rejects.toBeInstanceOf(Refused);
  await expect(done).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 3000 });
});

test("what was cut off is Unreachable", async () => {
  const { done } = uploading();
  FakeXhr.last.ends(0, "");

  await expect(done).rejects.toBeInstanceOf(Unreachable);
});

test("what the caller ends fails with the caller's reason", async () => {
  const stop = new AbortController();
  const { done } = uploading(stop.signal);
  stop.abort();

  await expect(done).rejects.toMatchObject({ name: "AbortError" });
});
