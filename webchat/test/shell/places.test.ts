import { expect, test } from "vitest";
import { chatPlace, conversationAt, findPlace } from "../../src/shell/places.ts";

test("a place names its conversation, whatever its id is made of", () => {
  const place = chatPlace("conv /ü", "msg&1");
  expect(place).toBe("/c/conv%20%2F%C3%BC?m=msg%261");
  expect(conversationAt(place.split("?")[0]!)).toBe("conv /ü");
});

test("a slash at its end changes nothing, as it changes nothing of what is shown", () => {
  expect(conversationAt("/c/c1/")).toBe("c1");
});

test("other places name no conversation, and a half-typed one breaks nothing", () => {
  expect(["/", "/c/", "/c/a/b", "/settings"].map(conversationAt)).toEqual([undefined, undefined, undefined, undefined]);
  expect(conversationAt("/c/100%")).toBe("100%");
});

test("what is looked for survives being an address", () => {
  expect(new URLSearchParams(findPlace("a&b #c").split("?")[1]).get("q")).toBe("a&b #c");
});
