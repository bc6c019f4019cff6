/** Random Markdown as agents write it, whole and in pieces, for the tests of this folder. */

import fc from "fast-check";

const word = fc.constantFrom(
  "the", "quick", "fox", "a_b", "2*3", "$5", "~10", "&amp;", "naïve", "日本", "🙂", "file_name.py", "C:\\dir", "1.", "-", "#", "|", ">",
);
const inline: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: word },
  fc.constantFrom(
    "**bold**", "*it*", "__b__", "_i_", "`code`", "``a ` b``", "~~gone~~", "***both***", "**a *b* c**", "$x_1^2$", "\\*", "\\(a_b\\)",
    "[link](https://example.org/a)", "[bad](javascript:alert(1))", "[ref][name]", "[name]", "![pic](https://evil.example/x.png)",
    "https://example.org/a_b?c=1&d=2", "<https://example.org>", "me@example.org", "<b>", "</b>", "<br>", "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>", "<iframe src=//e.example>", "**", "*", "`", "[", "](", "_", "~~", "![", "<", "&lt;script&gt;",
    "[x](data:text/html,hi)", "[x](  java\tscript:alert(1))", "[p](src/a.ts)",
  ),
);
const line = fc.array(inline, { minLength: 1, maxLength: 8 }).map((words) => words.join(" "));
const code = fc.tuple(fc.constantFrom("", "js", "python", "nosuch"), fc.array(line, { maxLength: 4 }), fc.boolean());
const block: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join("\n")) },
  fc.tuple(fc.integer({ min: 1, max: 6 }), line).map(([depth, text]) => `${"#".repeat(depth)} ${text}`),
  line.map((text) => `${text}\n---`),
  code.map(([language, lines, isClosed]) => `\`\`\`${language}\n${lines.join("\n")}${isClosed ? "\n```" : ""}`),
  fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.map((text) => `- ${text}`).join("\n")),
  fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.map((text, at) => `${at + 3}. ${text}`).join("\n\n")),
  fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.map((text, at) => `${"  ".repeat(at)}- [${at % 2 ? "x" : " "}] ${text}`).join("\n")),
  line.map((text) => `- ${text}\n\n  \`\`\`js\n  ${text}\n  \`\`\`\n- next`),
  fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.map((text) => `> ${text}`).join("\n")),
  fc.array(fc.tuple(line, line), { minLength: 1, maxLength: 4 }).map((rows) => `| a | b |\n|---|:-:|\n${rows.map(([a, b]) => `| ${a} | ${b} |`).join("\n")}`),
  fc.constantFrom("---", "***", "[name]: https://example.org/defined", "<div>\nhi **b**\n</div>", "    indented code", "$$\na_b \\\\ c\n$$", "* * *", "~~~\ntilde\n~~~"),
);

export const aDocument: fc.Arbitrary<string> = fc
  .tuple(fc.array(block, { minLength: 1, maxLength: 9 }), fc.constantFrom("\n\n", "\n", "\r\n\r\n", "\n\n\n"))
  .map(([blocks, between]) => blocks.join(between));

/** Where to cut a text of this length: sizes of the pieces, used over and over. */
export const somePieces: fc.Arbitrary<readonly number[]> = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

/** Every stage of a text that arrives in pieces, the whole one last. */
export function stages(text: string, pieces: readonly number[]): string[] {
  const all: string[] = [];
  for (let end = 0, at = 0; end < text.length; at += 1) {
    end = Math.min(text.length, end + pieces[at % pieces.length]!);
    all.push(text.slice(0, end));
  }
  return all;
}

/** An answer of about this many characters: what models write when they explain something at length. */
export function longAnswer(characters: number): string {
  const section = (n: number): string => `## Part ${n}

Some **important** words about \`thing_${n}\`, with a [link](https://example.org/${n}) and *more* of it. A second sentence makes
it as long as such paragraphs are.

- first, **bold** and \`code\`
- second, see https://example.org/${n}?a=1&b=2
  - inside

| name | value |
|------|------:|
| a_${n} | ${n} |
| b | 2 |

\`\`\`python
def part_${n}(value: int) -> str:
    """Say it."""
    return f"{value} of ${n}"  # a note
\`\`\`

`;
  let text = "";
  for (let n = 1; text.length < characters; n += 1) text += section(n);
  return text.slice(0, characters);
}
