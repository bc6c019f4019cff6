import { Rest } from "@amtrio/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keyOf } from "../../src/encryption/bytes.ts";
import { openFile } from "../../src/encryption/file-sealing.ts";
import { uploadSealed } from "../../src/engine/sealing-files.ts";

// Where it is missing, uploads go by fetch.
beforeEach(() => void vi.stubGlobal("XMLHttpRequest", undefined));
afterEach(() => void vi.unstubAllGlobals());

interface Uploaded {
  readonly query: URLSearchParams;
  readonly type: string;
  readonly body: Blob;
}

function server(): { rest: Rest; uploads: Uploaded[] } {
  const uploads: Uploaded[] = [];
  const fetch = async (address: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    uploads.push({ query: new URL(String(address)).searchParams, type: headers.get("Content-Type")!, body: init.body as Blob });
    const stored = { attachment_id: "a1", filename: "encrypted", content_type: "application/octet-stream", size: 1, url: "/attachments/a1" };
    return Response.json({ ...stored, created_at: "2026-11-25T10:00:00Z" });
  };
  return { rest: new Rest({ url: "http://chat.test", fetch }), uploads };
}

async function sent(file: Blob) {
  const { rest, uploads } = server();
  const steps: number[][] = [];
  const options = { conversationId: "c1", signal: new AbortController().signal, onProgress: (...step: number[]) => void steps.push(step) };
  const { sealed, content } = await uploadSealed(rest, file, options);
  return { sealed, content, upload: uploads[0]!, steps };
}

test("the server gets ciphertext without a name or a type, and the message will say both", async () => {
  const { sealed, upload } = await sent(new File(["dig here"], "plan.md", { type: "text/markdown" }));
  expect(Object.fromEntries(upload.query)).toEqual({ filename: "encrypted", conversation_id: "c1", encrypted: "true" });
  expect(upload.type).toBe("application/octet-stream");
  expect(sealed).toMatchObject({ attachment_id: "a1", filename: "plan.md", content_type: "text/markdown", size: 8 });
  expect(await (await openFile(keyOf(sealed.key)!, upload.body)).text()).toBe("dig here");
});

test("each file has a key of its own, the same file twice too", async () => {
  const file = new File(["dig here"], "plan.txt");
  expect((await sent(file)).sealed.key).not.toBe((await sent(file)).sealed.key);
});

test("what the browser does not know is a text if it reads like one", async () => {
  const typeOf = async (...parts: BlobPart[]) => (await sent(new File(parts, "README"))).sealed.content_type;
  expect(await typeOf("Grüße")).toBe("text/plain");
  expect(await typeOf("ü".repeat(50_000).slice(1), "x")).toBe("text/plain");
  expect(await typeOf(new Uint8Array([0xff, 0]))).toBe("application/octet-stream");
  expect(await typeOf("with \0 in it")).toBe("application/octet-stream");
});

test("progress is told in bytes of the file, not of what travels", async () => {
  const { steps } = await sent(new File(["dig here"], "plan.txt"));
  expect(steps.at(-1)).toEqual([8, 8]);
});

test("a comment of a photo stays here", async () => {
  // Begin, comment of four bytes, end.
  const photo = new Uint8Array([0xff, 0xd8, 0xff, 0xfe, 0, 6, ...new TextEncoder().encode("home"), 0xff, 0xd9]);
  const { sealed, content, upload } = await sent(new File([photo], "me.jpg", { type: "image/jpeg" }));
  expect(sealed.size).toBe(4);
  expect(content.size).toBe(4);
  expect(await (await openFile(keyOf(sealed.key)!, upload.body)).text()).not.toContain("home");
});

test("a photo under a name that says nothing stays a photo, and keeps its comment here", async () => {
  const photo = new Uint8Array([0xff, 0xd8, 0xff, 0xfe, 0, 6, ...new TextEncoder().encode("home"), 0xff, 0xd9]);
  const { sealed, content } = await sent(new File([photo], "IMG_0001"));
  expect(sealed).toMatchObject({ filename: "IMG_0001", content_type: "image/jpeg", size: 4 });
  expect(await content.text()).not.toContain("home");
});
