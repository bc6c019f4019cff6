/** How long a message and a paste may be. Pure; knows no field. */

// A frame takes 65,536 bytes (docs/protocol.md, `limits`), of which ids, names of fields and ten attachments need some.
const FRAME_BYTES = 65_536;
const AROUND_BYTES = 1024;
export const MAX_BYTES = FRAME_BYTES - AROUND_BYTES;
// Sealed text grows by a third in base64, and has keys and a header around it.
export const MAX_ENCRYPTED_BYTES = Math.floor(((MAX_BYTES - AROUND_BYTES) * 3) / 4);
// What a message says of a file beside its name: its key, id, type and size, with what stands around them.
const FILE_BYTES = 320;
// From here on the room that is left is shown.
const NEAR = 0.9;

export const LONG_PASTE_CHARS = 8000;
export const LONG_PASTE_LINES = 100;

export interface Room {
  readonly state: "enough" | "near" | "over";
  /** Bytes; negative beyond the limit. */
  readonly left: number;
  readonly limit: number;
}

/** `names`: those of the files that go along. In the clear they are not part of the message. */
export function roomIn(text: string, encrypted: boolean, names: readonly string[] = []): Room {
  const described = names.reduce((sum, name) => sum + messageBytes(name) + FILE_BYTES, 0);
  const limit = encrypted ? MAX_ENCRYPTED_BYTES - described : MAX_BYTES;
  // No character takes more than six bytes (`\u0007` in JSON): short texts need no counting.
  if (text.length * 6 < limit * NEAR) return { state: "enough", left: limit - text.length, limit };
  const left = limit - messageBytes(text);
  return { state: left < 0 ? "over" : left < limit * (1 - NEAR) ? "near" : "enough", left, limit };
}

export function isLongPaste(text: string): boolean {
  return text.length > LONG_PASTE_CHARS || text.split("\n", LONG_PASTE_LINES + 1).length > LONG_PASTE_LINES;
}

/** UTF-8 as it travels, in JSON: line breaks and quotes take two bytes. */
function messageBytes(text: string): number {
  return new TextEncoder().encode(JSON.stringify(text)).length;
}
