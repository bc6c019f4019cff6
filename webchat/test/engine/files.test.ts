import { Rest, type Attachment } from "@amtrio/client";
import { afterEach, expect, test, vi } from "vitest";
import { fileUrl } from "../../src/attachments/file-url.ts";
import type { Actions } from "../../src/engine/actions.ts";
import { Files } from "../../src/engine/files.ts";

afterEach(() => vi.useRealTimers());

const PHOTO: Attachment = { attachment_id: "a1", filename: "p.jpg", content_type: "image/jpeg", size: 9, url: "/attachments/a1", created_at: "" };

function files(validForMs: number) {
  let asked = 0;
  let isReachable = true;
  const fetch = async (): Promise<Response> => {
    if (!isReachable) throw new TypeError("no route");
    asked += 1;
    const expires = new Date(Date.now() + validForMs).toISOString();
    return Response.json({ url: `/f?${asked}`, thumbnail_url: `/t?${asked}`, expires_at: expires });
  };
  return {
    files: new Files(new Rest({ url: "http://chat.test", fetch })),
    asked: () => asked,
    reachable: (is: boolean) => (isReachable = is),
  };
}

test("one question brings the addresses of a file and of its thumbnail, however many want them", async () => {
  const scene = files(900_000);
  const urls = await Promise.all([scene.files.url(PHOTO), scene.files.url(PHOTO, "thumbnail"), scene.files.url(PHOTO)]);
  expect(urls).toEqual(["/f?1", "/t?1", "/f?1"]);
  expect(scene.asked()).toBe(1);
});

test("an address is not handed out for so long that it goes stale with who got it, whatever the server's clock says", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const clockAheadMs of [-3_600_000, 0, 3_600_000]) {
    const scene = files(900_000 + clockAheadMs);
    expect(await scene.files.url(PHOTO)).toBe("/f?1");
    expect(await scene.files.url(PHOTO)).toBe("/f?1");
    vi.setSystemTime(Date.now() + 8 * 60_000);
    const kept = await fileUrl({ fileUrl: (file, kind) => scene.files.url(file, kind) } as Actions, PHOTO, "file");
    expect(kept).toBe("/f?2");
  }
});

test("what could not be had is asked for again the next time", async () => {
  const scene = files(900_000);
  scene.reachable(false);
  await expect(scene.files.url(PHOTO)).rejects.toThrow();
  scene.reachable(true);
  expect(await scene.files.url(PHOTO)).toBe("/f?1");
});
