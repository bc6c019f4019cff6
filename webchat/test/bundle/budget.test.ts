import { describe, expect, test } from "vitest";
import { firstLoad, judge, MOST_BYTES, type Chunk } from "../../bundle/budget.ts";

const chunk = (fileName: string, imports: string[] = [], isEntry = false): Chunk => ({
  type: "chunk",
  fileName,
  imports,
  isEntry,
  code: `console.log("${fileName}")`,
});

describe("the weight of the first load", () => {
  test("is that of the entry and of all that it imports at once, each once", () => {
    const chunks = [chunk("index.js", ["react.js", "state.js"], true), chunk("react.js"), chunk("state.js", ["react.js"]), chunk("menu.js", ["react.js"])];

    expect(firstLoad(chunks).map(({ fileName }) => fileName).toSorted()).toEqual(["index.js", "react.js", "state.js"]);
  });

  test("is too much past the budget, and the table says what is in it", () => {
    const weighed = [{ fileName: "react.js", gzipBytes: 67_000 }, { fileName: "index.js", gzipBytes: MOST_BYTES - 67_000 }];

    expect(judge(weighed).isTooMuch).toBe(false);
    const { table, isTooMuch } = judge([...weighed, { fileName: "more.js", gzipBytes: 1 }]);
    expect(isTooMuch).toBe(true);
    expect(table).toMatch(/67\.0 kB {2}react\.js[^]*130\.0 kB {2}of at most 130 kB/);
  });
});
