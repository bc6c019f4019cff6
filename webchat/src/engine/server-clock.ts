/** What time it is on the server: the clock of a device may be hours off, and what is new is told by the server's. */

let aheadMs = 0;

/** The server has just said its time, in RFC 3339. */
export function heardTime(serverTime: string): void {
  const told = Date.parse(serverTime);
  if (!Number.isNaN(told)) aheadMs = told - Date.now();
}

/** Milliseconds since 1970; this device's own before the server has said any. */
export function serverNow(): number {
  return Date.now() + aheadMs;
}
