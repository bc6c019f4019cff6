/** For how long a conversation can be kept from making itself heard. */

import { serverNow } from "../engine/server-clock.ts";

const HOUR_MS = 3_600_000;
/** As the server writes it. */
export const FOR_EVER = "9999-12-31T23:59:59.999Z";

export const SPANS = { hour: HOUR_MS, hours: 8 * HOUR_MS, week: 7 * 24 * HOUR_MS } as const;
export type Span = keyof typeof SPANS | "ever";

/** RFC 3339. */
export function untilAfter(span: Span, now = serverNow()): string {
  return span === "ever" ? FOR_EVER : new Date(now + SPANS[span]).toISOString();
}

export function isMutedNow(until: string | null): boolean {
  return until !== null && Date.parse(until) > serverNow();
}
