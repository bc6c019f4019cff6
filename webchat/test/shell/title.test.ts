import { expect, test } from "vitest";
import { titleOf } from "../../src/shell/title.ts";

test("the tab says how much is unread and what is shown", () => {
  expect(titleOf(0, undefined)).toBe("amtrio");
  expect(titleOf(3, "Coder")).toBe("(3) Coder · amtrio");
});
