import { Refused, Unreachable } from "@amtrio/client";
import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Problem } from "../../src/welcome/problem.tsx";
import { show } from "../settings/fake-server.tsx";

const refused = (code: string, more: object = {}) => new Refused("said by the server", { code, ...more });

test.each([
  ["nobody answers", new Unreachable("GET /x: TypeError"), "The server does not answer. Look at your connection, then try again."],
  ["it was too often", refused("rate_limited", { retry: "after_ms", retryAfterMs: 1200 }), "That was too often. Try again in 2 seconds."],
  ["the server is full", refused("overloaded", { retry: "after_ms", retryAfterMs: 10 }), "That was too often. Try again in one second."],
  ["it is gone", refused("not_found"), "This is no longer there."],
  ["the disk refused", refused("storage_unavailable", { retry: "same_client_id" }), "The server has trouble at the moment. Try again soon."],
  ["a newer server has another reason", refused("moon_phase"), "said by the server"],
  ["it is no answer at all", new Error("something else"), "something else"],
])("%s", (_, error, text) => {
  show(<Problem error={error} />, {});
  expect(screen.getByRole("alert").textContent).toBe(text);
});

test("what a code means here is said before what it means in general", () => {
  show(<Problem error={refused("not_found")} meanings={{ not_found: "The invitation is gone." }} />, {});
  expect(screen.getByRole("alert").textContent).toBe("The invitation is gone.");
});

test("nothing is said while nothing is wrong", () => {
  show(<Problem error={undefined} />, {});
  expect(screen.queryByRole("alert")).toBeNull();
});
