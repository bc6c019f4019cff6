/**
 * One file to the server, with how far it got.
 *
 * Browsers tell that only through XMLHttpRequest; everywhere else it is fetch, which tells the end alone.
 */

export interface UploadOptions {
  /** By default that of the file. */
  filename?: string;
  conversationId?: string;
  /** Photos keep what they say of place, camera and time. */
  keepMetadata?: boolean;
  /** It is ciphertext: the server keeps it as it is, whatever it looks like. */
  isEncrypted?: boolean;
  /** Bytes that have left, of how many. */
  onProgress?: (sent: number, total: number) => void;
  signal?: AbortSignal;
}

/** Rejects as fetch does: with a TypeError if nobody answers, with the signal's reason if that ends it. */
export async function upload(
  fetch: typeof globalThis.fetch,
  address: string,
  headers: Record<string, string>,
  file: Blob,
  { onProgress, signal }: UploadOptions,
): Promise<Response> {
  if (onProgress !== undefined && typeof XMLHttpRequest !== "undefined") {
    return uploadByXhr(address, headers, file, onProgress, signal);
  }
  const response = await fetch(address, { method: "POST", headers, body: file, ...(signal ? { signal } : {}) });
  onProgress?.(file.size, file.size);
  return response;
}

function uploadByXhr(
  address: string,
  headers: Record<string, string>,
  file: Blob,
  onProgress: (sent: number, total: number) => void,
  signal: AbortSignal | undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const request = new XMLHttpRequest();
    request.open("POST", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const abort = (): void => request.abort();
    signal?.addEventListener("abort", abort, { once: true });
    request.upload.onprogress = ({ loaded }) => onProgress(loaded, file.size);
    request.onloadend = () => {
      signal?.removeEventListener("abort", abort);
      if (signal?.aborted) return reject(signal.reason as Error);
      if (request.status === 0) return reject(new TypeError("the upload was cut off"));
      const { status, statusText, responseText } = request;
      const retryAfter = request.getResponseHeader("Retry-After");
      resolve(
        new Response(responseText, { status, statusText, headers: retryAfter ? { "Retry-After": retryAfter } : {} }),
      );
    };
    request.send(file);
  });
}
