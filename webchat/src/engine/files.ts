/** Addresses of files that `<img>`, `<video>` and downloads can use; each is good for a quarter of an hour. */

import type { Attachment, Rest } from "@amtrio/client";

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

  constructor(rest: Rest) {
    this.#rest = rest;
  }

  async url({ attachment_id: id }: Attachment, kind: "file" | "thumbnail" = "file"): Promise<string> {
    const link = await this.#link(id);
    return kind === "thumbnail" ? (link.thumbnail ?? link.url) : link.url;
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
