import { expect, test } from "vitest";
import { describe } from "../../src/settings/user-agent.ts";

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox", "Linux", false],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge", "Windows", false],
  ["Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile Safari/537.36", "Chrome", "Android", true],
  ["Mozilla/5.0 (Linux; Android 16; Tab) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36", "Chrome", "Android", false],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1", "Safari", "iPhone", true],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML, like Gecko) Version/26.0 Safari/605.1", "Safari", "macOS", false],
  ["amtrio-chat/0.4", "amtrio-chat 0.4", undefined, false],
  ["Mozilla/5.0 (compatible)", "", undefined, false],
  ["", "", undefined, false],
])("%j", (text, program, system, isPhone) => {
  expect(describe(text)).toEqual({ program, system, isPhone });
});
