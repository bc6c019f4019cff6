/**
 * What every request needs: addresses, and an answer or the reason why there is none.
 *
 * Knows HTTP. Knows no routes.
 */

import { Unreachable, readRefusal } from "./errors.js";
import { isObject } from "./frames.js";

/** What goes wrong on the way is `Unreachable`; what the caller's signal ended stays as it is. */
export async function onTheWay<T>(what: string, signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** The body of an answer, or what it says went wrong. */
export function parse(response: Response, text: string): unknown {
  let body: unknown;
  let isJson = true;
  try {
    body = text === "" ? undefined : JSON.parse(text);
  } catch {
    isJson = false; // a proxy in between, or another server
  }
  if (response.ok && isJson) return body;
  if (response.ok) throw new Unreachable(`${response.url}: the answer is no JSON; is this the right server?`);
  const waitS = Number(response.headers.get("Retry-After") ?? NaN);
  const wait = Number.isFinite(waitS) ? { retry: "after_ms", retry_after_ms: waitS * 1000 } : {};
  const fields = isObject(body) ? body : { error: response.statusText || `status ${response.status}` };
  throw readRefusal({ ...wait, ...fields }, response.status);
}

/** `ws://host/` and `http://host` are the same server. */
export function httpUrl(url: string): string {
  const parsed = new URL(url);
  return parsed.protocol.replace(/^ws/, "http") + "//" + parsed.host + parsed.pathname.replace(/\/+$/, "");
}

export function socketUrl(url: string, path: string): string {
  return httpUrl(url).replace(/^http/, "ws") + path;
}

/** `?…`, or nothing. What is undefined is left out. */
export function queryOf(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}
