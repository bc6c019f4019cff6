import { afterEach, expect, test, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

test("a browser in which storage cannot even be looked at shows the page as the system says, and as one chooses", async () => {
  vi.stubGlobal("localStorage", new Proxy({}, {
    get() {
      throw new DOMException("Access is denied for this document.", "SecurityError");
    },
  }));
  const { applyTheme, chooseTheme, theme } = await import("../../src/design/theme.ts");
  const { apply, choice, choose, language } = await import("../../src/i18n/language.ts");
  applyTheme();
  apply();
  expect([theme(), choice(), language()]).toEqual(["system", "system", "en"]);
  chooseTheme("dark");
  choose("de");
  expect([theme(), choice(), language()]).toEqual(["dark", "de", "de"]);
  choose("system");
  expect([choice(), language()]).toEqual(["system", "en"]);
});
