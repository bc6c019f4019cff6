/** The pictures of the README, made anew by every run and looked at by people: `test-results/screens/readme-*.png`. */

import { expect, screenshots, test } from "./harness.ts";

const REVIEW = `Yes: the retry loop never gives up, and it holds the lock while it sleeps. Two changes are enough.

\`\`\`python
async def fetch(url: str, tries: int = 5) -> bytes:
    for attempt in range(tries):
        with trio.move_on_after(10):
            return await get(url)
        await trio.sleep(backoff(attempt))
    raise Unreachable(url)
\`\`\`

| before | after |
|---|---|
| waits for ever | gives up after 5 tries |
| 1 request at a time | 40 at a time |

All 214 tests pass. Shall I open the pull request?`;

test("a day with agents", async ({ person, agents }) => {
  const alice = await person("Alice");
  const coder = await agents.scripted("Coder", { model: "qwen3-coder", description: "Works on your repositories" });
  const [home, books] = [await agents.scripted("Home"), await agents.scripted("Librarian")];
  const begin = async (agent: typeof coder): Promise<string> => (await alice.rest.createConversation(agent.id)).conversation_id;
  await books.send(await begin(books), "I found three editions; the one of 1962 has the map.");
  await home.send(await begin(home), "The washing machine is done. 21.4 °C inside.");
  const id = await begin(coder);

  const page = await alice.signIn();
  await page.goto(`/c/${id}`);
  const field = page.getByRole("textbox", { name: /^Message / });
  await field.fill("The nightly job hangs now and then. Can you see why?");
  await field.press("Enter");
  const run = await coder.run(await coder.nextMessage());
  await run.think("The loop in fetch() has no upper bound. Let me look at who calls it.");
  const search = run.tool("grep", { title: "Searching for fetch(", arguments: { pattern: "fetch\\(" } });
  run.change(search, { state: "done", result: "7 places", duration_ms: 310 });
  const tests = run.tool("pytest", { title: "Running the tests" });
  run.change(tests, { state: "done", result: "214 passed", duration_ms: 8400 });
  await run.say(REVIEW);
  await run.finish();
  await expect(page.getByRole("log")).toContainText("Shall I open the pull request?");
  const asked = await coder.ask(id, "Open it against `main`?", {
    options: [{ id: "yes", label: "Open it", style: "primary" }, { id: "draft", label: "As a draft" }, { id: "no", label: "Not yet" }],
  });
  await expect(page.getByRole("button", { name: "As a draft" })).toBeVisible();
  await expect(page.getByRole("navigation").getByRole("link", { name: /Coder/ })).not.toContainText("unread");
  await screenshots(page, "readme");
  await page.getByRole("button", { name: "As a draft" }).click();
  expect((await coder.answerTo(asked)).question.answer?.option_ids).toEqual(["draft"]);
});
