import { Rest, Unreachable } from "@amtrio/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { spelt } from "../../src/encryption/bytes.ts";
import { newFileKey, sealFile } from "../../src/encryption/file-sealing.ts";
import { SealedBlobs } from "../../src/engine/sealed-blobs.ts";
import { sealedFile, type SealedFile } from "../../src/engine/sealed-files.ts";

const key = newFileKey();
let sealed: Blob;
let asked: string[];
let isReachable: boolean;
let blobs: SealedBlobs;
let revoked: string[];

beforeEach(async () => {
  sealed = await sealFile(key, new Blob(["what was said"]));
  [asked, isReachable, revoked] = [[], true, []];
  const fetch = async (address: RequestInfo | URL): Promise<Response> => {
    if (!isReachable) throw new TypeError("no route");
    asked.push(new URL(String(address)).pathname);
    return new Response(await sealed.arrayBuffer());
  };
  blobs = new SealedBlobs(new Rest({ url: "http://chat.test", fetch }));
  let made = 0;
  vi.spyOn(URL, "createObjectURL").mockImplementation(() => `blob:${++made}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void revoked.push(url));
});
afterEach(() => {
  vi.restoreAllMocks();
});

function file(id = "a1", size = 13, type = "image/png"): SealedFile {
  const said = { attachment_id: id, key: spelt(key), name: "x", media_type: type, size };
  return sealedFile(said, { attachment_id: id, filename: "encrypted", content_type: "", size, url: "", created_at: "" });
}

test("a file is fetched and opened once, however many want it", async () => {
  expect(await Promise.all([blobs.url(file()), blobs.url(file())])).toEqual(["blob:1", "blob:1"]);
  const blob = await blobs.blob(file());
  expect([await blob.text(), blob.type, asked]).toEqual(["what was said", "image/png", ["/attachments/a1"]]);
});

test("HTML does not become a page of ours", async () => {
  expect((await blobs.blob(file("a1", 13, "text/html"))).type).toBe("application/octet-stream");
});

test("what was changed on its way is refused as such, and fetched again the next time", async () => {
  const good = sealed;
  sealed = new Blob([good, "x"]);
  await expect(blobs.url(file())).rejects.toMatchObject({ code: "file_tampered" });
  sealed = good;
  expect(await (await blobs.blob(file())).text()).toBe("what was said");
});

test("without a connection it is not there, and is once there is one", async () => {
  isReachable = false;
  await expect(blobs.url(file())).rejects.toBeInstanceOf(Unreachable);
  isReachable = true;
  expect(await blobs.url(file())).toBe("blob:1");
});

test("what was sent from here is not fetched", async () => {
  blobs.keep(file(), new Blob(["what was said"], { type: "text/html" }));
  const blob = await blobs.blob(file());
  expect([await blob.text(), blob.type, asked]).toEqual(["what was said", "image/png", []]);
});

test("what was not looked at for longest is let go when there is too much", async () => {
  const half = 128 * 1024 * 1024;
  await blobs.url(file("a1", half));
  await blobs.url(file("a2", half));
  await blobs.url(file("a1", half));
  await blobs.url(file("a3", half));
  expect(revoked).toEqual(["blob:2"]);
  blobs.close();
  expect(revoked).toEqual(["blob:2", "blob:1", "blob:3"]);
});

test("a file that comes when it is over gets no address, which nobody would take back", async () => {
  const late = blobs.url(file());
  blobs.close();
  await expect(late).rejects.toThrow("signed out");
  blobs.keep(file("a2"), new Blob(["what was said"]));
  await expect(blobs.url(file("a2"))).rejects.toThrow("signed out");
  expect(URL.createObjectURL).not.toHaveBeenCalled();
});

test("a file that was pushed out while it was on its way is kept again when it comes, and let go like any other", async () => {
  const whole = 256 * 1024 * 1024;
  expect(await Promise.all([blobs.url(file("a1", whole)), blobs.url(file("a2", whole)), blobs.url(file("a1", whole))])).toHaveLength(3);
  blobs.close();
  const made = vi.mocked(URL.createObjectURL).mock.results.map(({ value }) => value as string);
  expect(revoked.toSorted()).toEqual(made.toSorted());
});
