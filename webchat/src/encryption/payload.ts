/**
 * What is sealed in a message that brings files: its text, and of each file what opens it and what it is. Pure.
 *
 * Source: docs/discussion/encryption.md, "Messages with files".
 */

import { keyOf } from "./bytes.ts";

/** A file as its sender describes it. */
export interface DescribedFile {
  readonly attachment_id: string;
  /** base64url of 32 bytes. */
  readonly key: string;
  readonly name: string;
  readonly media_type: string;
  /** Bytes of the file itself; what the server has is a little longer. */
  readonly size: number;
  /** Pixels of a picture. */
  readonly width?: number;
  readonly height?: number;
}

export interface Payload {
  readonly text: string;
  readonly files: readonly DescribedFile[];
}

export function packed({ text, files }: Payload): string {
  const described = files.map(({ attachment_id, key, name, media_type, size, width, height }) => ({
    attachment_id,
    key,
    name,
    media_type,
    size,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
  }));
  return JSON.stringify({ text, files: described });
}

/** Undefined: it is none. Fields that are not known are ignored. */
export function unpacked(payload: string): Payload | undefined {
  let said: unknown;
  try {
    said = JSON.parse(payload);
  } catch {
    return undefined;
  }
  const { text, files } = (said ?? {}) as Record<string, unknown>;
  if (typeof text !== "string" || !Array.isArray(files) || !files.every(isDescribed)) return undefined;
  return { text, files };
}

function isDescribed(file: unknown): file is DescribedFile {
  const { attachment_id: id, key, name, media_type: type, size, width, height } = (file ?? {}) as Record<string, unknown>;
  return (
    [id, key, name, type].every((each) => typeof each === "string") &&
    keyOf(key as string) !== undefined &&
    isCount(size, 0) &&
    [width, height].every((each) => each === undefined || isCount(each, 1))
  );
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}
