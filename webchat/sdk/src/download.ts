/** The bytes of an answer as they come, for files that the server makes while it sends them: nobody knows how long they will be. */

import { onTheWay, parse } from "./http.js";

export interface DownloadOptions {
  /** Bytes that have come. */
  onProgress?: (received: number) => void;
  signal?: AbortSignal | undefined;
}

// Browsers keep large blobs on disk, loose pieces in memory: so that an archive of gigabytes is no matter.
const BLOB_BYTES = 16 * 1024 * 1024;

/** Rejects as every request does: with `Refused`, with `Unreachable`, with the signal's reason. */
export async function download(
  fetch: typeof globalThis.fetch,
  what: string,
  address: string,
  headers: Record<string, string>,
  { onProgress, signal }: DownloadOptions,
): Promise<Blob> {
  const [response, text, blob] = await onTheWay(what, signal, async () => {
    const answer = await fetch(address, { headers, ...(signal ? { signal } : {}) });
    return answer.ok ? ([answer, "", await bytesOf(answer, onProgress)] as const) : ([answer, await answer.text()] as const);
  });
  return blob ?? (parse(response, text) as never);
}

async function bytesOf(response: Response, onProgress: DownloadOptions["onProgress"]): Promise<Blob> {
  const blobs: Blob[] = [];
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let [received, loose] = [0, 0];
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
    pieces.push(read.value);
    received += read.value.byteLength;
    loose += read.value.byteLength;
    onProgress?.(received);
    if (loose < BLOB_BYTES) continue;
    blobs.push(new Blob(pieces));
    [pieces, loose] = [[], 0];
  }
  return new Blob([...blobs, ...pieces], { type: response.headers.get("Content-Type") ?? "" });
}
