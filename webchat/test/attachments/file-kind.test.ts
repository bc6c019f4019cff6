import { expect, test } from "vitest";
import { kindOf } from "../../src/attachments/file-kind.ts";
import { attachment } from "../composer/stage.tsx";

const kind = (filename: string, content_type: string, more = {}): string =>
  kindOf(attachment(filename, { content_type, ...more }));

test("a picture is what the server could make a thumbnail of", () => {
  expect(kind("a.jpg", "image/jpeg", { thumbnail_url: "/t" })).toBe("picture");
  expect(kind("broken.jpg", "image/jpeg")).toBe("other");
});

test("sound, films and text go by their content", () => {
  expect(kind("x", "audio/webm")).toBe("audio");
  expect(kind("x", "video/mp4")).toBe("video");
  expect(kind("main.py", "text/plain")).toBe("text");
  expect(kind("a.json", "application/json")).toBe("text");
  expect(kind("a", "application/geo+json")).toBe("text");
});

test("where the content says little, the name tells more", () => {
  expect(kind("a.XLSX", "application/zip")).toBe("table");
  expect(kind("a.docx", "application/zip")).toBe("document");
  expect(kind("a.tgz", "application/gzip")).toBe("archive");
  expect(kind("a", "application/octet-stream")).toBe("other");
});
