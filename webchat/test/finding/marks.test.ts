import { afterEach, expect, test } from "vitest";
import { rangesIn } from "../../src/finding/marks.ts";

afterEach(() => document.body.replaceChildren());

function marked(html: string, ...terms: string[]): string[] {
  document.body.innerHTML = html;
  return rangesIn(document.body, terms).map((range) => range.toString());
}

test("every place of every term is marked as it is written, in messages only", () => {
  const html = "<p>tide</p><article><p>Café <b>Tide</b>, tide table</p></article><article>cafe</article>";
  expect(marked(html, "tide", "cafe")).toEqual(["Café", "Tide", "tide", "cafe"]);
});

test("what stands beside a message is left alone", () => {
  const html = '<article><button>tide</button><time>tide</time><span class="visually-hidden">tide</span>said: tide</article>';
  expect(marked(html, "tide")).toEqual(["tide"]);
});
