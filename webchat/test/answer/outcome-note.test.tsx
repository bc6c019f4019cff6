import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { OutcomeNote } from "../../src/answer/outcome-note.tsx";
import { aRun } from "./parts.ts";

test("a run that went well needs no words", () => {
  expect(render(<OutcomeNote run={aRun({})} />).container.textContent).toBe("");
});

test.each([
  ["stopped", null, "Stopped"],
  ["interrupted", null, "Interrupted: the agent was gone before it finished"],
  ["failed", "I can only count.", "Failed: I can only count."],
  ["failed", null, "Failed without saying why"],
])("%s (%s) is said in words", (outcome, error, text) => {
  render(<OutcomeNote run={aRun({ outcome, error })} />);
  expect(screen.getByText(text)).toBeDefined();
});

test("what was used is summed up, with everything on request", async () => {
  const usage = { input_tokens: 1200, output_tokens: 412, model: "demo-1", nested: { a: 1 } };
  const run = aRun({ usage, started_at: "2026-11-25T12:00:00Z", ended_at: "2026-11-25T12:01:05Z" });
  render(<OutcomeNote run={run} />);
  const summary = screen.getByText("1,612 tokens");
  expect(summary.closest("details")!.open).toBe(false);
  await userEvent.click(summary);
  expect(screen.getAllByRole("term").map((term) => `${term.textContent} ${term.nextSibling?.textContent}`)).toEqual([
    "input tokens 1,200",
    "output tokens 412",
    "model demo-1",
    "Time 1 min 5 sec",
  ]);
});
