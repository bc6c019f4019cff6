import { describe, expect, test } from "vitest";
import { isAppRoute } from "../../src/worker/app-routes.ts";

describe("addresses", () => {
  test.each(["/", "/index.html", "/c/conv_01", "/c/conv_01/", "/settings", "/settings/devices", "/manage/people", "/find"])(
    "%s is the app's",
    (path) => expect(isAppRoute(path)).toBe(true),
  );

  test.each(["/conversations", "/cards", "/admin/users", "/agents", "/attachments/att_1", "/docs", "/settingsx", "/sw.js"])(
    "%s is the server's",
    (path) => expect(isAppRoute(path)).toBe(false),
  );
});
