/** Files of encrypted messages: what they are for the rest of the app, and what a message says of them. Pure. */

import type { Attachment } from "@amtrio/client";
import type { DescribedFile } from "../encryption/payload.ts";

/** As its sender describes it; what the server has of it is ciphertext. */
export interface SealedFile extends Attachment {
  /** base64url of 32 bytes. */
  readonly key: string;
  /** As the sender says it; `content_type` is what it is shown as. */
  readonly mediaType: string;
  /** The message speaks of it, and the server does not have it (any more). */
  readonly isMissing?: true;
}

/** All that the server learns of a file's name. */
export const STORED_NAME = "encrypted";
const BINARY = "application/octet-stream";
// What a browser shows and runs nothing in. The server serves no other type in place either, and nobody checks these:
// HTML or SVG under an address of this page would be part of it.
const SHOWN = new Set([
  ...["png", "jpeg", "gif", "webp", "avif", "heic", "bmp"].map((type) => `image/${type}`),
  ...["mpeg", "ogg", "wav", "flac", "mp4", "aac", "webm", "aiff"].map((type) => `audio/${type}`),
  ...["mp4", "webm", "quicktime", "ogg", "x-matroska", "x-msvideo"].map((type) => `video/${type}`),
]);
// All that browsers of today can draw: of what they cannot, a row with its name says more than an empty frame.
const DRAWN = new Set(["png", "jpeg", "gif", "webp", "avif", "bmp"].map((type) => `image/${type}`));
// Other names of theirs, by which browsers and Python's library call them.
const ALIASES: Readonly<Record<string, string>> = {
  "image/jpg": "image/jpeg",
  "image/x-ms-bmp": "image/bmp",
  "audio/mp3": "audio/mpeg",
  "audio/x-wav": "audio/wav",
  "audio/wave": "audio/wav",
  "audio/vnd.wave": "audio/wav",
  "audio/x-flac": "audio/flac",
  "audio/x-m4a": "audio/mp4",
  "audio/mp4a-latm": "audio/mp4",
  "audio/x-aiff": "audio/aiff",
  "video/x-m4v": "video/mp4",
};
const MEDIA = /^(?:image|audio|video)\//;

/**
 * A name for people to see, as the server makes those that it can read: no folder, and no character that cannot be seen, with
 * which `exe.txt` can be made of `txt.exe`.
 */
function shownName(given: string): string {
  const last = given.slice(Math.max(given.lastIndexOf("/"), given.lastIndexOf("\\")) + 1);
  const shown = [...last.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, "").trim().replace(/^[.\s]+/, "")];
  const kept = shown.length <= NAME_CHARS ? shown : [...shown.slice(0, NAME_CHARS - TAIL_CHARS), ...shown.slice(-TAIL_CHARS)];
  return kept.join("") || "file";
}

// What file systems take, with its ending.
const NAME_CHARS = 120;
const TAIL_CHARS = 20;

export function isSealed(attachment: Attachment): attachment is SealedFile {
  return "key" in attachment;
}

/** As far as the server's word for it tells: a file of a message that is likely to be encrypted. */
export function isCiphertext({ filename, content_type: type, message_id: id }: Attachment): boolean {
  return filename === STORED_NAME && type === BINARY && id !== undefined;
}

/** What comes into a browser's hands under an address of this page. */
export function safeType(type: string): string {
  return SHOWN.has(type) ? type : BINARY;
}

/** For the message that brings it. */
export function describedOf({ attachment_id, key, filename, mediaType, size, width, height }: SealedFile): DescribedFile {
  return {
    attachment_id,
    key,
    name: filename,
    media_type: mediaType,
    size,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
  };
}

/** In the order of the message. What the server adds to it is none of it. */
export function sealedFilesOf(described: readonly DescribedFile[], stored: readonly Attachment[]): readonly SealedFile[] {
  return described.map((file) => sealedFile(file, stored.find((each) => each.attachment_id === file.attachment_id)));
}

export function sealedFile(file: DescribedFile, stored: Attachment | undefined): SealedFile {
  // `audio/webm;codecs=opus`, as recorders call it.
  const type = file.media_type.split(";", 1)[0]!.trim().toLowerCase();
  const shown = MEDIA.test(type) ? safeType(ALIASES[type] ?? type) : type;
  return {
    attachment_id: file.attachment_id,
    filename: shownName(file.name),
    content_type: shown,
    size: file.size,
    url: stored?.url ?? "",
    created_at: stored?.created_at ?? "",
    key: file.key,
    mediaType: file.media_type,
    ...(stored?.message_id === undefined ? {} : { message_id: stored.message_id }),
    ...(file.width === undefined ? {} : { width: file.width }),
    ...(file.height === undefined ? {} : { height: file.height }),
    // There is no smaller one than the picture itself.
    ...(DRAWN.has(shown) ? { thumbnail_url: stored?.url ?? "" } : {}),
    ...(stored === undefined ? { isMissing: true } : {}),
  };
}
