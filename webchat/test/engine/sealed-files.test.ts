import type { Attachment } from "@amtrio/client";
import { expect, test } from "vitest";
import type { DescribedFile } from "../../src/encryption/payload.ts";
import { describedOf, isSealed, safeType, sealedFile, sealedFilesOf } from "../../src/engine/sealed-files.ts";

const stored: Attachment = {
  attachment_id: "a1",
  filename: "encrypted",
  content_type: "application/octet-stream",
  size: 23,
  url: "/attachments/a1",
  created_at: "2026-11-25T10:00:00Z",
  message_id: "m1",
};
const described: DescribedFile = { attachment_id: "a1", key: "k", name: "garden.png", media_type: "image/png", size: 7, width: 4, height: 3 };

test("a file is what its sender says, where the server keeps it", () => {
  const file = sealedFile(described, stored);
  expect(file).toMatchObject({ filename: "garden.png", content_type: "image/png", size: 7, width: 4, url: "/attachments/a1", message_id: "m1" });
  expect(file.thumbnail_url).toBeDefined();
  expect([isSealed(file), isSealed(stored)]).toEqual([true, false]);
  expect(describedOf(file)).toEqual(described);
});

test("what the server adds is ignored, and what it lacks is known to be missing", () => {
  const other = { ...described, attachment_id: "a2", name: "lost.txt" };
  const files = sealedFilesOf([other, described], [{ ...stored, attachment_id: "a3" }, stored]);
  expect(files.map(({ filename, isMissing }) => [filename, isMissing])).toEqual([
    ["lost.txt", true],
    ["garden.png", undefined],
  ]);
});

test("nothing that a browser could run is a picture, or gets an address of this page under its type", () => {
  for (const type of ["image/svg+xml", "image/x-unknown", "video/vnd.unknown"]) {
    expect(sealedFile({ ...described, media_type: type }, stored)).toMatchObject({ content_type: "application/octet-stream", mediaType: type });
  }
  expect(["text/html", "application/xhtml+xml", "text/plain", "image/png"].map(safeType)).toEqual([
    ...Array.from({ length: 3 }, () => "application/octet-stream"),
    "image/png",
  ]);
});

test("a picture that browsers cannot draw is no picture here", () => {
  expect(sealedFile({ ...described, media_type: "image/heic" }, stored).thumbnail_url).toBeUndefined();
});

test.each([
  ["audio/webm;codecs=opus", "audio/webm"],
  ["audio/x-wav", "audio/wav"],
  ["Image/JPG", "image/jpeg"],
])("%s is shown as %s, and stays what its sender said for the one who gets it", (said, shown) => {
  const file = sealedFile({ ...described, media_type: said }, stored);
  expect(file.content_type).toBe(shown);
  expect(describedOf(file).media_type).toBe(said);
});

test.each([
  ["../../etc/passwd", "passwd"],
  ["C:\\temp\\plan.txt", "plan.txt"],
  ["photo\u202Egpj.exe", "photogpj.exe"],
  [".bashrc", "bashrc"],
  ["\n", "file"],
  ["", "file"],
  [`${"x".repeat(500)}.txt`, `${"x".repeat(116)}.txt`],
])("a name is shown as the server would show it: %j", (name, shown) => {
  expect(sealedFile({ ...described, name }, stored).filename).toBe(shown);
});
