/** What a file is shown as: told from what the server says of its content, and from its name where that says more. */

import type { Attachment } from "@amtrio/client";

export type FileKind = "picture" | "audio" | "video" | "text" | "archive" | "table" | "document" | "other";

const TEXT_TYPES = /^(text\/|application\/(json|xml|x-yaml|yaml|toml|javascript|x-sh|sql|x-ndjson)|.*\+(json|xml)$)/;
// Where the content alone does not tell.
const BY_ENDING: readonly (readonly [FileKind, ReadonlySet<string>])[] = [
  ["table", new Set(["xls", "xlsx", "ods", "numbers"])],
  ["document", new Set(["pdf", "doc", "docx", "odt", "ppt", "pptx", "odp", "rtf", "epub", "pages", "key"])],
  ["archive", new Set(["zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar"])],
];

export function kindOf({ content_type: type, filename, thumbnail_url: thumbnail }: Attachment): FileKind {
  // Without a thumbnail the server could not read it, and a browser will hardly do better.
  if (type.startsWith("image/") && thumbnail !== undefined) return "picture";
  if (type.startsWith("audio/")) return "audio";
  if (type.startsWith("video/")) return "video";
  const ending = filename.slice(filename.lastIndexOf(".") + 1).toLowerCase();
  for (const [kind, endings] of BY_ENDING) if (endings.has(ending)) return kind;
  if (TEXT_TYPES.test(type)) return "text";
  return "other";
}
