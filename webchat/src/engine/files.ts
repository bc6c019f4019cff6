/** Addresses of files that `<img>`, `<video>` and downloads can use; each is good for a quarter of an hour. */

import type { Attachment, Rest } from "@amtrio/client";

interface Link {
  readonly url: string;
  readonly thumbnail: string | undefined;
  readonly until: number;
}

// Asked for anew a little before it goes stale: a picture may be fetched later than its address.
const SPARE_MS = 60_000;

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
    if (known !== undefined && (await known).until > Date.now() + SPARE_MS) return known;
    const asked = this.#ask(id);
    this.#links.set(id, asked);
    asked.catch(() => this.#links.delete(id));
    return asked;
  }

  async #ask(id: string): Promise<Link> {
    const { url, thumbnail_url: thumbnail, expires_at: until } = await this.#rest.attachmentLink(id);
    return { url, thumbnail: thumbnail ?? undefined, until: Date.parse(until) };
  }
}
