/** Files of encrypted messages as they are: fetched and opened when somebody looks at them, and kept for a while. */

import type { Rest } from "@amtrio/client";
import { safeType, type SealedFile } from "./sealed-files.ts";

// Some dozens of photos. What is past it is fetched anew; what is shown at that moment stays shown.
const KEPT_BYTES = 256 * 1024 * 1024;

interface Kept {
  readonly size: number;
  readonly blob: Promise<Blob>;
  url: string | undefined;
}

export class SealedBlobs {
  readonly #rest: Rest;
  /** By id, the one that was wanted last at the end. */
  readonly #kept = new Map<string, Kept>();
  #isClosed = false;

  constructor(rest: Rest) {
    this.#rest = rest;
  }

  /** For `<img>` and the like. Rejects with `EncryptionError` (`file_tampered`) if it is not what was sent. */
  async url(file: SealedFile): Promise<string> {
    const blob = await this.blob(file);
    // What nobody keeps, nobody would let go of either.
    if (this.#isClosed) throw new Error("signed out");
    // Other files may have pushed it out while it was on its way.
    const kept = this.#kept.get(file.attachment_id) ?? this.#put(file.attachment_id, file.size, Promise.resolve(blob));
    kept.url ??= URL.createObjectURL(blob);
    return kept.url;
  }

  async blob(file: SealedFile): Promise<Blob> {
    if (this.#isClosed) throw new Error("signed out");
    return this.#want(file).blob;
  }

  /** It came from here, so nobody has to fetch it. */
  keep(file: SealedFile, content: Blob): void {
    if (this.#isClosed) return;
    this.#put(file.attachment_id, file.size, Promise.resolve(content.slice(0, content.size, safeType(file.content_type))));
  }

  close(): void {
    this.#isClosed = true;
    for (const id of this.#kept.keys()) this.#drop(id);
  }

  #want(file: SealedFile): Kept {
    const id = file.attachment_id;
    const known = this.#kept.get(id);
    if (known === undefined) {
      const made = this.#put(id, file.size, this.#fetch(file));
      // Also where only its address was asked for; the next one who looks tries again.
      made.blob.catch(() => this.#kept.get(id) === made && this.#drop(id));
      return made;
    }
    this.#kept.delete(id);
    this.#kept.set(id, known);
    return known;
  }

  #put(id: string, size: number, blob: Promise<Blob>): Kept {
    const kept = { size, blob, url: undefined };
    this.#kept.set(id, kept);
    let sum = [...this.#kept.values()].reduce((bytes, each) => bytes + each.size, 0);
    for (const [other, each] of this.#kept) {
      if (sum <= KEPT_BYTES || other === id) break;
      sum -= each.size;
      this.#drop(other);
    }
    return kept;
  }

  #drop(id: string): void {
    const url = this.#kept.get(id)?.url;
    if (url !== undefined) URL.revokeObjectURL(url);
    this.#kept.delete(id);
  }

  async #fetch(file: SealedFile): Promise<Blob> {
    const [{ openFile }, { keyOf }] = await Promise.all([import("../encryption/file-sealing.ts"), import("../encryption/bytes.ts")]);
    const sealed = await this.#rest.download(`/attachments/${encodeURIComponent(file.attachment_id)}`);
    const opened = await openFile(keyOf(file.key)!, sealed);
    return opened.slice(0, opened.size, safeType(file.content_type));
  }
}
