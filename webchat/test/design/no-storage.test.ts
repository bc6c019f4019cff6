import { afterEach, expect, test, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

test("a browser in which storage cannot even be looked at shows the page as the system says", async () => {
  vi.stubGlobal("localStorage", new Proxy({}, {
    get() {
      throw new DOMException("Access is denied for this document.", "SecurityError");
    },
  }));
  const { applyTheme, theme } = await import("../../src/design/theme.ts");
  const { apply, choice, language } = await import("../../src/i18n/language.ts");
  applyTheme();
  apply();
  expect([theme(), choice(), language()]).toEqual(["system", "system", "en"]);
});
