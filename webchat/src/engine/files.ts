/**
 * Addresses of files that `<img>`, `<video>` and downloads can use: of the server, each good for a quarter of an hour, or of
 * this page, for files that were opened here.
 */

import type { Attachment, Rest } from "@amtrio/client";
import type { Actions } from "./actions.ts";
import { SealedBlobs } from "./sealed-blobs.ts";
import { isSealed, type SealedFile } from "./sealed-files.ts";
import { uploadSealed } from "./sealing-files.ts";

interface Link {
  readonly url: string;
  readonly thumbnail: string | undefined;
  readonly askedAt: number;
}

// They are good for 15 minutes (docs/protocol.md, "Attachments"), and whoever gets one keeps it for ten
// (attachments/file-url). By the clock of this device alone: that of the server may be another one.
const FRESH_MS = 4 * 60_000;

export class Files {
  readonly #rest: Rest;
  readonly #links = new Map<string, Promise<Link>>();
  readonly #sealed: SealedBlobs;

  constructor(rest: Rest) {
    this.#rest = rest;
    this.#sealed = new SealedBlobs(rest);
  }

  close(): void {
    this.#sealed.close();
  }

  async url(attachment: Attachment, kind: "file" | "thumbnail" = "file"): Promise<string> {
    if (isSealed(attachment)) return this.#sealed.url(attachment);
    const link = await this.#link(attachment.attachment_id);
    return kind === "thumbnail" ? (link.thumbnail ?? link.url) : link.url;
  }

  open(file: SealedFile): Promise<Blob> {
    return this.#sealed.blob(file);
  }

  /** Encrypt a file and put it on the server. */
  async seal(file: Blob, options: Parameters<Actions["upload"]>[1]): Promise<SealedFile> {
    const { sealed, content } = await uploadSealed(this.#rest, file, options);
    this.#sealed.keep(sealed, content);
    return sealed;
  }

  async #link(id: string): Promise<Link> {
    const known = this.#links.get(id);
    if (known !== undefined && isFresh(await known)) return known;
    const asked = this.#ask(id);
    this.#links.set(id, asked);
    asked.catch(() => this.#links.delete(id));
    return asked;
  }

  async #ask(id: string): Promise<Link> {
    const askedAt = Date.now();
    const { url, thumbnail_url: thumbnail } = await this.#rest.attachmentLink(id);
    return { url, thumbnail: thumbnail ?? undefined, askedAt };
  }
}

/** A clock that was put back counts as one that went on. */
function isFresh({ askedAt }: Link): boolean {
  return Math.abs(Date.now() - askedAt) < FRESH_MS;
}
