import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { AnswerParts, attachmentsBeside } from "../../src/answer/answer-parts.tsx";
import { ActionsProvider, type Actions } from "../../src/engine/actions.ts";
import { aPart } from "./parts.ts";

const FILE = {
  attachment_id: "att_1",
  filename: "words.csv",
  content_type: "text/csv",
  size: 12,
  url: "/attachments/att_1",
  created_at: "2026-11-25T12:00:00Z",
};

function show(parts: Parameters<typeof AnswerParts>[0]["parts"], isLive = false) {
  return render(<AnswerParts parts={parts} isLive={isLive} runId="run-1" />);
}

test("a tool says its title, its name, how it went and how long it took, and shows nothing else by itself", () => {
  show([aPart(0, "tool", "line 1", { name: "shell", title: "Listing files", state: "done", duration_ms: 2400, arguments: { cmd: "ls" } })]);
  const card = screen.getByRole("button", { name: /Listing files.*shell.*Done.*2 sec/ });
  expect(card.getAttribute("aria-expanded")).toBe("false");
  expect(screen.queryByText("line 1")).toBeNull();
});

test("Enter opens a tool with what went in, what it printed and what came out, and closes it", async () => {
  show([aPart(0, "tool", "line 1", { name: "shell", state: "done", arguments: { cmd: "ls" }, result: { files: 3 } })]);
  const card = screen.getByRole("button", { name: /shell/ });
  card.focus();
  await userEvent.keyboard("{Enter}");
  expect(card.getAttribute("aria-expanded")).toBe("true");
  expect(screen.getByRole("group", { name: "Arguments" }).textContent).toBe('{\n  "cmd": "ls"\n}');
  expect(screen.getByRole("group", { name: "Output" }).textContent).toBe("line 1");
  expect(screen.getByRole("group", { name: "Result" }).textContent).toBe('{\n  "files": 3\n}');
  expect(screen.getAllByRole("button", { name: "Copy" })).toHaveLength(3);
  await userEvent.keyboard("{Enter}");
  expect(screen.queryByRole("group", { name: "Output" })).toBeNull();
});

test("what a tool prints is seen while it prints", async () => {
  const view = show([aPart(0, "tool", "one", { name: "shell", state: "running" })], true);
  await userEvent.click(screen.getByRole("button", { name: /shell.*Running/ }));
  view.rerender(<AnswerParts parts={[aPart(0, "tool", "one\ntwo", { name: "shell", state: "running" })]} isLive runId="run-1" />);
  expect(screen.getByRole("group", { name: "Output" }).textContent).toBe("one\ntwo");
});

test("a huge result is shown in part until one asks for all of it", async () => {
  const result = Array.from({ length: 500 }, (_, at) => `line ${at}`).join("\n");
  show([aPart(0, "tool", "", { name: "shell", state: "done", result })]);
  await userEvent.click(screen.getByRole("button", { name: /shell/ }));
  const box = screen.getByRole("group", { name: "Result" });
  expect(box.textContent).not.toContain("line 100");
  await userEvent.click(screen.getByRole("button", { name: "Show all (500 lines)" }));
  expect(box.textContent).toBe(result);
});

test("of long output the end is what one sees", async () => {
  const output = Array.from({ length: 500 }, (_, at) => `line ${at}`).join("\n");
  show([aPart(0, "tool", output, { name: "shell", state: "running" })], true);
  await userEvent.click(screen.getByRole("button", { name: /shell/ }));
  expect(screen.getByRole("group", { name: "Output" }).textContent).toContain("line 499");
  expect(screen.getByRole("group", { name: "Output" }).textContent).not.toContain("line 5\n");
});

test("a tool that was running when the run ended is said to be unfinished", () => {
  show([aPart(0, "tool", "", { name: "shell", state: "running" })]);
  expect(screen.getByRole("button", { name: /shell.*Not finished/ })).toBeDefined();
});

test("thoughts are folded under how long they took, and open on request", async () => {
  show([aPart(0, "reasoning", "Because *so*.", { title: "Where to look", duration_ms: 4000 }), aPart(1, "text", "Here.")]);
  const toggle = screen.getByRole("button", { name: /Thought for 4 sec.*Where to look/ });
  expect(screen.queryByText(/Because/)).toBeNull();
  await userEvent.click(toggle);
  expect(screen.getByText(/Because/)).toBeDefined();
});

test("thinking is said while it goes on and nothing else has begun", () => {
  const view = show([aPart(0, "reasoning", "hm")], true);
  expect(screen.getByRole("button", { name: "Thinking…" })).toBeDefined();
  view.rerender(<AnswerParts parts={[aPart(0, "reasoning", "hm"), aPart(1, "text", "So")]} isLive runId="run-1" />);
  expect(screen.getByRole("button", { name: "Thoughts" })).toBeDefined();
});

test("no part of an answer is a live region", () => {
  const { container } = show(
    [
      aPart(0, "reasoning", "hm"),
      aPart(1, "tool", "", { name: "shell", state: "running" }),
      aPart(2, "status", "", { text: "Reading" }),
      aPart(3, "text", "words"),
    ],
    true,
  );
  expect(container.querySelector("[aria-live], [role=status], [role=alert], [role=log]")).toBeNull();
});

test("a plan says how far it is and the state of each step; what was under way when the run ended is not finished", () => {
  const items = [
    { text: "read", state: "done" },
    { text: "count", state: "running" },
    { text: "report", state: "pending" },
    { text: 7 },
  ];
  const parts = [aPart(0, "plan", "", { items })];
  const view = show(parts, true);
  const steps = (): HTMLElement[] => screen.getAllByRole("listitem");
  expect(screen.getByText("1 of 3")).toBeDefined();
  expect(steps().map((item) => item.textContent)).toEqual(["read, done", "count, in progress", "report, to do"]);
  expect(steps()[1]!.getAttribute("aria-current")).toBe("step");
  view.rerender(<AnswerParts parts={parts} isLive={false} runId="run-1" />);
  expect(steps()[1]!.textContent).toBe("count, not finished");
  expect(steps()[1]!.getAttribute("aria-current")).toBeNull();
});

test("only the newest status is shown, and only while the run goes on", () => {
  const parts = [aPart(0, "status", "", { text: "Reading" }), aPart(1, "text", "Hello"), aPart(2, "status", "", { text: "Counting" })];
  const view = show(parts, true);
  expect(screen.queryByText("Reading")).toBeNull();
  expect(screen.getByText("Counting")).toBeDefined();
  view.rerender(<AnswerParts parts={parts} isLive={false} runId="run-1" />);
  expect(screen.queryByText("Counting")).toBeNull();
});

test("a run that has said nothing yet says that it prepares", () => {
  show([], true);
  expect(screen.getByText("Preparing an answer")).toBeDefined();
});

test("a file stands where it was made, and not a second time at the foot", () => {
  const parts = [aPart(0, "artifact", "", { attachment_id: "att_1", filename: "words.csv" })];
  const actions = { fileUrl: async () => "/attachments/att_1?for=a-while" } as unknown as Actions;
  render(
    <ActionsProvider value={actions}>
      <AnswerParts parts={parts} isLive={false} attachments={[FILE]} runId="run-1" />
    </ActionsProvider>,
  );
  expect(screen.getByText(/words/)).toBeDefined();
  const other = { ...FILE, attachment_id: "att_2" };
  expect(attachmentsBeside(parts, [FILE, other])).toEqual([other]);
  expect(attachmentsBeside([], [FILE])).toEqual([FILE]);
});

test("a file that is gone is still named", () => {
  show([aPart(0, "artifact", "", { attachment_id: "att_9", filename: "words.csv" })]);
  expect(screen.getByText("words.csv")).toBeDefined();
  expect(screen.getByText("not available")).toBeDefined();
});

test("a part of an unknown kind shows its words", () => {
  show([aPart(0, "poem", "Roses")]);
  expect(screen.getByText("Roses")).toBeDefined();
});

test("whatever meta holds, it is shown without an error", () => {
  const meta = { name: 7, title: {}, state: [], duration_ms: "x", arguments: 3, items: { a: 1 }, text: 5, attachment_id: null };
  const kinds = ["text", "reasoning", "tool", "plan", "status", "artifact", "other"];
  for (const isLive of [true, false]) show(kinds.map((kind, at) => aPart(at, kind, "x", meta)), isLive);
  expect(screen.getAllByRole("button", { name: /Not finished|Running/ })).toHaveLength(2);
});

test("a part that did not change is not drawn again", () => {
  const first = aPart(0, "tool", "", { name: "shell", state: "done" });
  const view = show([first, aPart(1, "text", "a")], true);
  const card = screen.getByRole("button", { name: /shell/ });
  const changes: MutationRecord[] = [];
  const observer = new MutationObserver((records) => changes.push(...records));
  observer.observe(card.parentElement!, { subtree: true, childList: true, characterData: true, attributes: true });
  view.rerender(<AnswerParts parts={[first, aPart(1, "text", "a b")]} isLive runId="run-1" />);
  changes.push(...observer.takeRecords());
  expect(changes).toEqual([]);
});
