import { render, screen } from "@testing-library/react";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "../../src/markdown/blocks.ts";
import { GrowingText } from "../../src/markdown/growing-text.ts";
import { Markdown } from "../../src/markdown/markdown.tsx";
import { aDocument, longAnswer, somePieces, stages } from "./documents.ts";

function shown(text: string, isLive = false): HTMLElement {
  return render(<Markdown text={text} isLive={isLive} hasCaret={false} />).container;
}

/** Without what React and the clock number. */
function html(container: HTMLElement): string {
  return container.innerHTML.replace(/ (?:id|aria-controls)="[^"]*"/g, "").replace(' data-live="true"', "");
}

test("in the end it is the same, whatever the pieces in which it came", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(aDocument, somePieces, (text, pieces) => {
      const view = render(<Markdown text="" isLive hasCaret={false} />);
      for (const stage of stages(text, pieces)) view.rerender(<Markdown text={stage} isLive hasCaret={false} />);
      view.rerender(<Markdown text={text} isLive={false} hasCaret={false} />);
      const atOnce = render(<Markdown text={text} isLive={false} hasCaret={false} />);
      expect(html(view.container)).toBe(html(atOnce.container));
      view.unmount();
      atOnce.unmount();
    }),
    { numRuns: 100, seed: 20_261_125 },
  );
});

test.each([longAnswer(6000), "Three:\n\n- one\n- [ ] two, with **emphasis**\n- three", "> 1. first\n> 2. second"])(
  "what was seen of a text stays the same nodes when it is whole, so that what was selected stays selected",
  (text) => {
    const view = render(<Markdown text="" isLive />);
    for (const stage of stages(text, [7])) view.rerender(<Markdown text={stage} isLive />);
    const seen = texts(view.container);
    view.rerender(<Markdown text={text} isLive={false} />);
    const now = new Set(texts(view.container));
    expect(seen.filter((node) => !now.has(node)).map(({ data }) => data)).toEqual([]);
  },
);

function texts(container: HTMLElement): Text[] {
  const walker = document.createTreeWalker(container, NodeFilter.SHOW_TEXT);
  const all: Text[] = [];
  while (walker.nextNode()) all.push(walker.currentNode as Text);
  return all;
}

test("no stage of any text makes a picture, a script, a frame or a link that runs something", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(aDocument, somePieces, (text, pieces) => {
      const view = render(<Markdown text="" isLive />);
      for (const stage of stages(text, pieces)) {
        view.rerender(<Markdown text={stage} isLive />);
        expect(view.container.querySelector("img, script, iframe, b, div > div > div > div, [onerror]")).toBeNull();
        for (const link of view.container.querySelectorAll("a")) expect(link.href).toMatch(/^(?:https?|mailto):/);
      }
      view.unmount();
    }),
    { numRuns: 100, seed: 20_261_125 },
  );
});

test("any characters at all are shown without an error", { timeout: 60_000 }, () => {
  const signs = fc.string({ unit: fc.constantFrom(..."*_`~[]()<>!#-+=|\\$ \n\t:./a1&;\"'x"), maxLength: 80 });
  fc.assert(
    fc.property(signs, (text) => {
      const view = render(<Markdown text="" isLive />);
      for (const stage of stages(text, [1])) view.rerender(<Markdown text={stage} isLive />);
      view.rerender(<Markdown text={text} isLive={false} />);
      view.unmount();
    }),
    { numRuns: 100, seed: 20_261_125 },
  );
});

test("what nests without end, and what is made to take long, is shown soon", () => {
  const cruel = [
    ">".repeat(20_000),
    Array.from({ length: 300 }, (_, depth) => `${"  ".repeat(depth)}- x`).join("\n"),
    "_a__b_".repeat(6000),
    "[".repeat(20_000),
    "*a ".repeat(10_000),
    "![a](".repeat(5000),
  ];
  for (const text of cruel) {
    const start = performance.now();
    shown(text);
    // Without a bound each takes seconds or has no end; the room is for slow machines.
    expect(performance.now() - start).toBeLessThan(3000);
  }
});

test.each([
  ["beginnings of formulas", "\\[ ".repeat(30_000)],
  ["underscores in a word", "__a".repeat(30_000)],
  ["brackets behind an address", `http://a${")".repeat(120_000)}`],
  ["entities behind an address", `http://a${"&a;".repeat(30_000)}`],
  ["lines that go on with an item", `- a\n${"b\n".repeat(30_000)}`],
])("a message full of %s is read soon", (_, text) => {
  const start = performance.now();
  parse(text);
  // Without a bound each takes five seconds or more; the room is for slow machines.
  expect(performance.now() - start).toBeLessThan(2500);
});

test.each([
  ["marks that nothing closes", "~~a ".repeat(20_000)],
  ["marks around nothing", `a${" *".repeat(24_000)}`],
])("an answer full of %s is read soon while it is written", (_, text) => {
  const start = performance.now();
  new GrowingText().read(text);
  // Without a bound: five seconds or more.
  expect(performance.now() - start).toBeLessThan(2000);
});

test("a table that would be filled up with more cells than it has characters is shown as it was typed", () => {
  const wide = `${"|a".repeat(400)}|\n${"|-".repeat(400)}|\n`;
  const bomb = shown(`${wide}${"x\n".repeat(400)}`);
  expect(bomb.querySelectorAll("table, td")).toHaveLength(0);
  expect(bomb.textContent).toContain("|a|a|a");
  // One that says what is in its cells may be as wide, and rows of a small one may lack some.
  expect(shown(`${wide}${"|b".repeat(400)}|`).querySelectorAll("td")).toHaveLength(400);
  expect(shown("|a|b|c|\n|-|-|-|\n|x|\n|y|").querySelectorAll("td")).toHaveLength(6);
});

test("an address that is longer than any is words, not a link to half of it", () => {
  expect(shown(`https://example.org/${"a".repeat(3000)}`).querySelector("a")).toBeNull();
  const long = `https://example.org/${"a".repeat(1800)}`;
  expect(shown(`${long} and ${"more ".repeat(500)}`).querySelector("a")!.href).toBe(long);
});

test("a fence without an end is a code block at once", () => {
  const container = shown("Look:\n\n```python\nprint(1", true);
  expect(container.querySelector("pre")?.textContent).toBe("print(1");
  expect(screen.getByText("python")).toBeDefined();
  expect(container.textContent).not.toContain("`");
});

test("marks that have no end yet are never seen", () => {
  const text = "Some **bold *and slanted* words**, `code()`, ~~gone~~ and a [link](https://example.org) here.\n\n- **item** one\n- `two`";
  const view = render(<Markdown text="" isLive />);
  for (const stage of stages(text, [1])) {
    view.rerender(<Markdown text={stage} isLive />);
    expect(view.container.textContent).not.toMatch(/[*`~]|\]\(/);
  }
});

test("a line that may become anything is no heading meanwhile", () => {
  for (const stage of ["Steps:\n-", "Steps:\n- ", "Steps:\n--", "Steps:\n=", "- a\n  -"]) {
    expect(shown(stage, true).querySelector("h3, h4, hr")).toBeNull();
  }
});

test("a table is a table from its first line on", () => {
  for (const stage of ["| a | b |", "| a | b |\n", "| a | b |\n|--", "| a | b |\n|--|--|\n| 1"]) {
    expect(shown(stage, true).querySelectorAll("th")).toHaveLength(2);
  }
});

test("HTML is shown as it was typed", () => {
  const container = shown('a <b>x</b> <img src=x onerror="alert(1)">\n\n<div onclick="x">hi</div>');
  expect(container.textContent).toBe('a <b>x</b> <img src=x onerror="alert(1)"><div onclick="x">hi</div>');
});

test("a link opens in a new tab, gives nothing away, and says where it leads", () => {
  shown("[words](https://example.org/path)");
  const link = screen.getByRole("link", { name: "words" });
  expect(link.getAttribute("href")).toBe("https://example.org/path");
  expect(link.getAttribute("target")).toBe("_blank");
  expect(link.getAttribute("rel")).toBe("noopener noreferrer");
  expect(link.getAttribute("title")).toBe("example.org");
});

test("an address without any marks is a link", () => {
  shown("see https://example.org/a_b_c?x=1&y=2. Or write to me@example.org");
  const links = screen.getAllByRole("link");
  expect(links.map((link) => link.getAttribute("href"))).toEqual(["https://example.org/a_b_c?x=1&y=2", "mailto:me@example.org"]);
});

test("a path and a script are words, not links", () => {
  const container = shown("[main.ts](src/main.ts) [run](javascript:alert(1)) [x](data:text/html,x) [y](vbscript:x)");
  expect(screen.queryByRole("link")).toBeNull();
  expect(container.textContent).toBe("main.ts run x y");
});

test("a picture from elsewhere is a link with its host, never loaded", () => {
  const container = shown("![a cat](https://pictures.example/cat.png?secret=1)");
  expect(container.querySelector("img, picture, video, svg image")).toBeNull();
  expect(screen.getByRole("link", { name: /a cat.*pictures\.example/ }).getAttribute("href")).toBe("https://pictures.example/cat.png?secret=1");
});

test("a picture inside a link is one link", () => {
  const container = shown("[![logo](https://a.example/l.png)](https://b.example/)");
  expect(container.querySelectorAll("a a")).toHaveLength(0);
  expect(screen.getByRole("link", { name: /logo/ }).getAttribute("href")).toBe("https://b.example/");
});

test("numbers, names of files and formulas survive as typed", () => {
  const text = "file_name_x.py costs $5 or ~10 and ~20~, $a_1 * b_1 * c$ and \\(x_1\\) C:\\dir 1. AT&T";
  expect(shown(text).textContent).toBe(text);
});

test("named characters are shown as characters, once", () => {
  expect(shown("&lt;b&gt; &copy; &amp;lt; &#65; `&amp;` &nosuch;").textContent).toBe("<b> © &lt; A &amp; &nosuch;");
});

test("the outermost heading is the third of the page, and none is left out", () => {
  const container = shown("### a\n\n##### b\n\n### c\n\n# d\n\n## e\n\n> # quoted");
  const levels = [...container.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) => `${heading.tagName} ${heading.textContent}`);
  expect(levels).toEqual(["H3 a", "H4 b", "H3 c", "H3 d", "H4 e"]);
});

test("a table scrolls in a box of its own, which the keyboard reaches and which has a name", () => {
  shown("| a | b |\n|---|--:|\n| 1 | 2 |");
  const box = screen.getByRole("group", { name: "Table" });
  expect(box.getAttribute("tabindex")).toBe("0");
  expect(box.querySelectorAll("td")[1]!.getAttribute("data-align")).toBe("right");
});

test("tasks say whether they are done", () => {
  shown("- [x] one\n- [ ] two");
  expect(screen.getByRole("img", { name: "Done" })).toBeDefined();
  expect(screen.getByRole("img", { name: "Not done" })).toBeDefined();
});

test("lists, quotes, rules and line breaks are what they are called", () => {
  const container = shown("1. a\n   - b\n\n5. c\n\n> q\n\n---\n\nx\ny ~~z~~");
  expect(container.querySelector("ol > li > ul > li")?.textContent).toBe("b");
  expect(container.querySelector("blockquote > p")?.textContent).toBe("q");
  expect(container.querySelector("hr")).not.toBeNull();
  expect(container.querySelector("br")).not.toBeNull();
  expect(container.querySelector("del")?.textContent).toBe("z");
});

test("a list that does not begin with one keeps its numbers, also while it grows", () => {
  const text = Array.from({ length: 9 }, (_, at) => `${at + 4}. item ${at}\n`).join("");
  const view = render(<Markdown text="" isLive />);
  for (const stage of stages(text, [3])) view.rerender(<Markdown text={stage} isLive />);
  expect(view.container.querySelectorAll("ol")).toHaveLength(1);
  expect(view.container.querySelector("ol")!.getAttribute("start")).toBe("4");
  expect(view.container.querySelectorAll("li")).toHaveLength(9);
});

test("what is finished is not touched while words arrive", async () => {
  const text = longAnswer(6000);
  const view = render(<Markdown text={text} isLive hasCaret={false} />);
  const changed: Node[] = [];
  const observer = new MutationObserver((records) => changed.push(...records.map((record) => record.target)));
  observer.observe(view.container, { subtree: true, childList: true, characterData: true, attributes: true });
  view.rerender(<Markdown text={`${text}\n\nand *more`} isLive hasCaret={false} />);
  changed.push(...observer.takeRecords().map((record) => record.target));
  observer.disconnect();
  const blocks = [...view.container.firstElementChild!.children];
  const touched = blocks.filter((block) => changed.some((node) => block.contains(node)));
  expect(touched.length).toBeLessThanOrEqual(2);
  expect(blocks.length).toBeGreaterThan(40);
});

test("the caret stands behind the last word, and goes when the text is whole", () => {
  const view = render(<Markdown text={"a\n\n- b\n- c"} isLive />);
  expect([...view.container.querySelectorAll("[data-caret]")].map((element) => element.textContent)).toEqual(["c"]);
  view.rerender(<Markdown text={"a\n\n- b\n- c"} isLive={false} />);
  expect(view.container.querySelector("[data-caret]")).toBeNull();
});

test.each(["src/__init__.py", "__main__.py and obj.__call__()", "2*3*4 = 24", "snake_case_name"])("%s is shown as typed", (text) => {
  for (const isLive of [true, false]) {
    const view = render(<Markdown text={text} isLive={isLive} />);
    expect(view.container.textContent).toBe(text);
    expect(view.container.querySelector("em, strong")).toBeNull();
  }
});
