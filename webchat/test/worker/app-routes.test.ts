import { describe, expect, test } from "vitest";
import { conversationAt, isAppRoute, messageUrl } from "../../src/worker/app-routes.ts";

describe("addresses", () => {
  test.each(["/", "/index.html", "/c/conv_01", "/c/conv_01/", "/settings", "/settings/devices", "/manage/people", "/find"])(
    "%s is the app's",
    (path) => expect(isAppRoute(path)).toBe(true),
  );

  test.each(["/conversations", "/cards", "/admin/users", "/agents", "/attachments/att_1", "/docs", "/settingsx", "/sw.js"])(
    "%s is the server's",
    (path) => expect(isAppRoute(path)).toBe(false),
  );

  test("a message's address says which conversation it is in, whatever its id is made of", () => {
    const url = messageUrl("a/b ?", "m&1");

    expect(url).toBe("/c/a%2Fb%20%3F?m=m%261");
    expect(conversationAt(new URL(url, "http://x").pathname)).toBe("a/b ?");
    expect(conversationAt("/settings")).toBeUndefined();
  });
});
