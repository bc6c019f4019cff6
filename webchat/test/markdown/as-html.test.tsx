import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { asHtml } from "../../src/markdown/as-html.ts";
import { Markdown } from "../../src/markdown/markdown.tsx";

function html(text: string): string {
  const { container } = render(<Markdown text={text} isLive={false} />);
  return asHtml(container.children);
}

test("headings, lists, links and emphasis stay what they are, and nothing of this page is left at them", () => {
  expect(html("# Title\n\nIt is **bold** and `code`, see [here](https://example.org/a).\n\n3. three\n4. four")).toBe(
    '<h3>Title</h3><p>It is <strong>bold</strong> and <code>code</code>, see <a href="https://example.org/a">here</a>.</p>' +
      '<ol start="3"><li><span>three</span></li><li><span>four</span></li></ol>',
  );
});

test("a table has lines, and its numbers stand on the right", () => {
  const table = html("| a | b |\n|---|--:|\n| x | 1 |");
  expect(table).toMatch(/^<table border="1"[^>]*><thead><tr><th>a<\/th>/);
  expect(table).toMatch(/<td>x<\/td><td align="right">1<\/td>/);
});

test("code is all of its text, also where a part is shown, without language and buttons", () => {
  expect(html("```js\nconst a = 1;\n```")).toBe("<pre><code>const a = 1;</code></pre>");
  const long = Array.from({ length: 100 }, (_, at) => `line ${at}`).join("\n");
  expect(html(`\`\`\`\n${long}\n\`\`\``)).toBe(`<pre><code>${long}</code></pre>`);
});

test("tasks say by a sign whether they are done", () => {
  expect(html("- [x] one\n- [ ] two")).toBe("<ul><li>☑ <span>one</span></li><li>☐ <span>two</span></li></ul>");
});
