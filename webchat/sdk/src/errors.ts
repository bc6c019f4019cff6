/**
 * What can go wrong, and whether trying again helps.
 *
 * Knows nothing of sockets or HTTP. Source: docs/protocol.md, "Errors and retry".
 */

import { isObject, type Data } from "./frames.js";

/** `no`: it fails again. `after_ms`: wait. `same_client_id`: it may be stored, send it again as it was. */
export type Retry = "no" | "after_ms" | "same_client_id";

/** Everything this library throws because of the server or the way there. */
export class ClientError extends Error {
  override name = "ClientError";
}

export interface Refusal {
  code: string;
  status?: number;
  retry?: Retry;
  retryAfterMs?: number | undefined;
  details?: Data;
}

/** The server understood and said no: an answer of REST or to a command on the socket. */
export class Refused extends ClientError {
  override name = "Refused";
  /** One word for programs, such as `not_found`. */
  readonly code: string;
  /** HTTP status of a REST answer, 0 on the socket. */
  readonly status: number;
  readonly retry: Retry;
  /** Only with `after_ms`. */
  readonly retryAfterMs: number | undefined;
  /** What the code means here, such as the answer that was faster. */
  readonly details: Data;

  constructor(text: string, refusal: Refusal) {
    super(text);
    this.code = refusal.code;
    this.status = refusal.status ?? 0;
    this.retry = refusal.retry ?? "no";
    this.retryAfterMs = refusal.retryAfterMs;
    this.details = refusal.details ?? {};
  }
}

/** Nobody answered a REST request: no route, refused, cut in the middle, or no amtrio server. */
export class Unreachable extends ClientError {
  override name = "Unreachable";
}

/** The credential is wrong or has ended; only a new one helps. */
export class AuthenticationEnded extends ClientError {
  override name = "AuthenticationEnded";
}

/** A newer socket of the same device took over; coming back at once would start a fight. */
export class Replaced extends ClientError {
  override name = "Replaced";
}

/** `close()` was called. */
export class Closed extends ClientError {
  override name = "Closed";
}

/** The data of an `error` frame, or the body of a REST error. A retry rule of a newer server means `no`. */
export function readRefusal(data: Data, status = 0): Refused {
  const { error, code, retry, retry_after_ms: waitMs, details } = data;
  return new Refused(typeof error === "string" && error !== "" ? error : "refused", {
    code: typeof code === "string" ? code : "unknown",
    status,
    retry: retry === "after_ms" || retry === "same_client_id" ? retry : "no",
    retryAfterMs: typeof waitMs === "number" && waitMs >= 0 ? waitMs : undefined,
    details: isObject(details) ? details : {},
  });
}
