/**
 * One frame as text, and back.
 *
 * Knows the envelope only; what the data of a frame means stands in `events` and `words`.
 * Source: docs/protocol.md, "Envelope".
 */

export type Data = Readonly<Record<string, unknown>>;

/** One frame from the server, its data not looked at. */
export interface Frame {
  readonly type: string;
  readonly data: Data;
  /** Number in the account's log; only events of the log have one. */
  readonly seq?: number;
  /** Whose answer it is. */
  readonly ref?: string | number;
}

/** The frame, or undefined if it is of no shape this protocol has: a client ignores what it does not know. */
export function readFrame(text: unknown): Frame | undefined {
  if (typeof text !== "string") return undefined;
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(raw) || typeof raw["type"] !== "string") return undefined;
  const { type, data, seq, ref } = raw;
  if (data !== undefined && data !== null && !isObject(data)) return undefined;
  if (seq !== undefined && seq !== null && !Number.isSafeInteger(seq)) return undefined;
  return {
    type: type as string,
    data: isObject(data) ? data : {},
    ...(typeof seq === "number" ? { seq } : {}),
    ...(typeof ref === "string" || typeof ref === "number" ? { ref } : {}),
  };
}

/** One text frame. Fields that are undefined are left out, null stays: it means "take it away". */
export function encodeFrame(type: string, data: object, ref?: string): string {
  return JSON.stringify(ref === undefined ? { type, data } : { type, ref, data });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
