/**
 * What one delta of a long answer costs in script: `npx vitest bench test/markdown`. Not run in CI.
 *
 * Each run adds one delta of 8 characters to an answer of 100,000; reading alone, since drawing here is happy-dom's.
 */

import { test } from "vitest";
import { parse } from "../../src/markdown/blocks.ts";
import { GrowingText } from "../../src/markdown/growing-text.ts";
import { longAnswer } from "./documents.ts";

const DELTA = 8;
const START = 100_000;
const item = (at: number): string => `${at}. **Name** of \`thing_${at}\`: a sentence that says what it does, and [why](https://example.org/${at}).\n`;
const TEXTS = {
  "prose, lists, tables and code": longAnswer(2 * START),
  "one list": Array.from({ length: 2000 }, (_, at) => item(at + 1)).join(""),
  "one code block": `\`\`\`ts\n${"const value = compute(another, 12); // note\n".repeat(4600)}`,
};

for (const [name, text] of Object.entries(TEXTS)) {
  test(name, { timeout: 60_000 }, async ({ bench }) => {
    let growing = new GrowingText();
    let end = text.length;
    const delta = bench("one delta", () => {
      if (end + DELTA > text.length) {
        growing = new GrowingText();
        growing.read(text.slice(0, START));
        end = START;
      }
      end += DELTA;
      growing.read(text.slice(0, end));
    });
    const whole = bench("the whole text, as at its end", () => {
      parse(text.slice(0, START));
    });
    await delta.run();
    await whole.run();
  });
}
