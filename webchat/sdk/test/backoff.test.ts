import { describe, expect, test } from "vitest";
import { Backoff, CLOSE, finalError } from "../src/backoff.js";
import { AuthenticationEnded, Refused, Replaced } from "../src/errors.js";

const cut = { code: CLOSE.cut, reason: "" };
const waits = (backoff: Backoff, code: number, times: number): number[] =>
  Array.from({ length: times }, () => backoff.waitMs({ code, reason: "" }));

describe("waits", () => {
  test("double from half a second to thirty", () => {
    expect(waits(new Backoff(() => 0), CLOSE.cut, 8)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test("are shortened by chance, by at most a half", () => {
    expect(waits(new Backoff(() => 0.999_999), CLOSE.cut, 2).map(Math.round)).toEqual([250, 500]);
  });

  test("begin anew after a connection that worked", () => {
    const backoff = new Backoff(() => 0);
    waits(backoff, CLOSE.cut, 5);
    backoff.succeeded();

    expect(backoff.waitMs(cut)).toBe(500);
  });

  test.each([CLOSE.restarting, CLOSE.tooSlow])("do not grow after %i", (code) => {
    expect(waits(new Backoff(() => 0), code, 3)).toEqual([500, 500, 500]);
  });

  test("are at least five seconds when the server is overloaded", () => {
    expect(waits(new Backoff(() => 0.5), CLOSE.overloaded, 6)).toEqual([5000, 5000, 5000, 5000, 6000, 12_000]);
  });

  test("are never shorter than the server wishes", () => {
    expect(new Backoff(() => 0.5).waitMs({ ...cut, retryAfterMs: 9000 })).toBe(9250);
  });
});

describe("close codes", () => {
  test.each([
    [CLOSE.sessionEnded, AuthenticationEnded],
    [CLOSE.replaced, Replaced],
    [CLOSE.malformed, Refused],
  ])("%i ends it for good", (code, error) => {
    expect(finalError({ code, reason: "why" })).toBeInstanceOf(error);
    expect(finalError({ code, reason: "why" })!.message).toBe("why");
  });

  test.each([1000, 1001, 1006, 1009, 1011, 1012, 1013, 4408, 4409, 4413, 4999])("after %i one comes back", (code) => {
    expect(finalError({ code, reason: "" })).toBeUndefined();
  });
});
