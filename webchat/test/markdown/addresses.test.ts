import { expect, test } from "vitest";
import { addressOf } from "../../src/markdown/addresses.ts";

test.each([
  ["https://example.org/a?b=1", "https://example.org/a?b=1", "example.org"],
  ["http://localhost:8080", "http://localhost:8080/", "localhost:8080"],
  ["https://user:word@evil.example/good.example", "https://user:word@evil.example/good.example", "evil.example"],
  ["https://xn--e1awd7f.example", "https://xn--e1awd7f.example/", "xn--e1awd7f.example"],
  ["mailto:a%20b@example.org", "mailto:a%20b@example.org", "a b@example.org"],
])("%s leads to %s, at %s", (address, href, place) => {
  expect(addressOf(address)).toEqual({ href, place });
});

test.each(["javascript:alert(1)", "JAVA\nSCRIPT:alert(1)", " javascript:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://a/b", "tel:1", "src/main.ts", "//evil.example", "#a", ""])(
  "%j leads nowhere",
  (address) => {
    expect(addressOf(address)).toBeUndefined();
  },
);
