/**
 * The files that this browser has kept for pages without a network.
 *
 * Where its store is broken or full, it is as if nothing had been kept: there may be a network.
 */

/** From the cache of that name, or from any. */
export async function kept(url: string, name?: string): Promise<Response | undefined> {
  try {
    return await (name === undefined ? caches : await caches.open(name)).match(url);
  } catch {
    return undefined;
  }
}

export async function keep(name: string, url: string, file: Response): Promise<void> {
  try {
    await (await caches.open(name)).put(url, file);
  } catch {
    // It is asked for again next time.
  }
}
