import { describe, expect, test } from "vitest";
import { BUDGETS, judge, weigh, type Chunk } from "../../bundle/budget.ts";

const [FIRST, LIST] = BUDGETS as readonly [(typeof BUDGETS)[number], (typeof BUDGETS)[number]];

const chunk = (fileName: string, imports: string[] = [], isEntry = false): Chunk => ({
  type: "chunk",
  name: fileName.replace(".js", ""),
  fileName,
  imports,
  isEntry,
  code: `console.log("${fileName}")`,
});

describe("the weight of the first load", () => {
  test("is that of the entry and of all that it imports at once, each once", () => {
    const chunks = [chunk("index.js", ["react.js", "state.js"], true), chunk("react.js"), chunk("state.js", ["react.js"]), chunk("menu.js", ["react.js"])];

    expect(weigh(chunks, FIRST.begins).map(({ fileName }) => fileName).toSorted()).toEqual(["index.js", "react.js", "state.js"]);
  });

  test("and of the list is that of both, what they share once", () => {
    const chunks = [chunk("index.js", ["react.js"], true), chunk("react.js"), chunk("shell.js", ["react.js", "rows.js"]), chunk("rows.js"), chunk("menu.js")];

    expect(weigh(chunks, LIST.begins).map(({ fileName }) => fileName).toSorted()).toEqual(["index.js", "react.js", "rows.js", "shell.js"]);
  });

  test("is too much past the budget, and the table says what is in it", () => {
    const weighed = [{ fileName: "react.js", gzipBytes: 67_000 }, { fileName: "index.js", gzipBytes: FIRST.mostBytes - 67_000 }];

    expect(judge(weighed, FIRST).isTooMuch).toBe(false);
    const { table, isTooMuch } = judge([...weighed, { fileName: "more.js", gzipBytes: 1 }], FIRST);
    expect(isTooMuch).toBe(true);
    expect(table).toMatch(/67\.0 kB {2}react\.js[^]*130\.0 kB {2}of at most 130 kB/);
  });
});
