import { Refused, type Message } from "@amtrio/client";
import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { QuestionCard } from "../../src/answer/question-card.tsx";
import { Toasts } from "../../src/design/toast.tsx";
import { ActionsProvider, type Actions } from "../../src/engine/actions.ts";
import { heardTime } from "../../src/engine/server-clock.ts";
import { chat, EMPTY } from "../../src/engine/state.ts";
import { aQuestion } from "./parts.ts";

/** What was answered, and how the server takes it. Of a class, as the engine is: no method of it works alone. */
class Answers {
  readonly given: unknown[][] = [];
  fails: Error | undefined;

  answer(message: Message, optionIds: readonly string[], ...text: string[]): Promise<void> {
    this.given.push([message.message_id, optionIds, ...text]);
    return this.fails === undefined ? Promise.resolve() : Promise.reject(this.fails);
  }
}

function show(message: Message, answers = new Answers()) {
  const page = (shown: Message) => (
    <ActionsProvider value={answers as unknown as Actions}>
      <QuestionCard message={shown} />
      <Toasts />
    </ActionsProvider>
  );
  const view = render(page(message));
  return { answers, update: (next: Message) => view.rerender(page(next)), leave: () => view.unmount() };
}

const ANSWERED = {
  state: "answered" as const,
  answer: { option_ids: ["no"], text: "Bob needs it.", answered_by: "usr_1", answered_at: "2026-11-25T12:01:00Z" },
};

beforeEach(() => {
  // Signing out empties what is kept beside the state.
  chat.setState(EMPTY);
  chat.setState({ ...EMPTY, self: { userId: "usr_1", username: "alice" } });
});
afterEach(() => {
  // A clock that stands: between two looks at one that goes a busy machine may lose some milliseconds.
  vi.useFakeTimers();
  heardTime(new Date().toISOString());
  vi.useRealTimers();
});

test("a button is an answer, by keyboard as well", async () => {
  const { answers } = show(aQuestion());
  await userEvent.tab();
  expect(document.activeElement?.textContent).toBe("Delete it");
  await userEvent.tab();
  await userEvent.keyboard("{Enter}");
  expect(answers.given).toEqual([["msg_1", ["no"]]]);
});

test("an option has its description read with it", () => {
  show(aQuestion());
  const button = screen.getByRole("button", { name: "Delete it" });
  expect(document.getElementById(button.getAttribute("aria-describedby")!)?.textContent).toBe("It cannot be undone.");
});

test("Enter during a composition gives no answer, also where the browser tells of it late", async () => {
  const { answers } = show(aQuestion({ free_text: true }));
  const field = screen.getByRole("textbox");
  await userEvent.type(field, "にほ");
  fireEvent.keyDown(field, { key: "Enter", isComposing: true });
  fireEvent.keyDown(field, { key: "Enter", keyCode: 229 });
  expect(answers.given).toEqual([]);
  await userEvent.type(field, "{Enter}");
  expect(answers.given).toEqual([["msg_1", [], "にほ"]]);
});

test("of several, those that are ticked are sent together", async () => {
  const { answers } = show(aQuestion({ multiple: true }));
  const send = screen.getByRole("button", { name: "Send" });
  expect(send).toHaveProperty("disabled", true);
  await userEvent.click(screen.getByRole("checkbox", { name: "Keep it" }));
  await userEvent.click(screen.getByRole("checkbox", { name: "Delete it" }));
  await userEvent.click(screen.getByRole("checkbox", { name: "Keep it" }));
  await userEvent.click(send);
  expect(answers.given).toEqual([["msg_1", ["yes"]]]);
});

test("words are an answer where they are taken: Enter sends, Shift and Enter breaks the line", async () => {
  const { answers } = show(aQuestion({ free_text: true }));
  await userEvent.type(screen.getByRole("textbox", { name: "In your own words" }), "first{Shift>}{Enter}{/Shift}second{Enter}");
  expect(answers.given).toEqual([["msg_1", [], "first\nsecond"]]);
});

test("words that are there go along with an option", async () => {
  const { answers } = show(aQuestion({ free_text: true }));
  await userEvent.type(screen.getByRole("textbox"), "Bob needs it.");
  await userEvent.click(screen.getByRole("button", { name: "Keep it" }));
  expect(answers.given).toEqual([["msg_1", ["no"], "Bob needs it."]]);
});

test("a refusal is said, and the question can be answered again", async () => {
  const answers = new Answers();
  answers.fails = new Error("the agent is gone");
  show(aQuestion(), answers);
  await userEvent.click(screen.getByRole("button", { name: "Keep it" }));
  expect(screen.getByText("the agent is gone")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Keep it" }));
  expect(answers.given).toHaveLength(2);
});

test("whoever is slower than another device is not told off: the card shows what counts", async () => {
  const answers = new Answers();
  answers.fails = new Refused("already answered", { code: "answered" });
  show(aQuestion(), answers);
  await userEvent.click(screen.getByRole("button", { name: "Keep it" }));
  expect(answers.given).toHaveLength(1);
  expect(screen.queryByText("already answered")).toBeNull();
});

test("an answered question shows what was chosen, by whom, and takes no more", () => {
  show(aQuestion(ANSWERED));
  expect(screen.queryByRole("button", { name: "Keep it" })).toBeNull();
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual(["Delete it", "Keep it, chosen"]);
  expect(screen.getByText("Bob needs it.")).toBeDefined();
  expect(screen.getByText(/Answered by you/)).toBeDefined();
});

test("somebody else's answer is called theirs", () => {
  show(aQuestion({ ...ANSWERED, answer: { ...ANSWERED.answer, answered_by: "usr_2" } }));
  expect(screen.getByText(/Answered by usr_2/)).toBeDefined();
});

test("who answered by keyboard stays where the question is", async () => {
  const { update } = show(aQuestion());
  screen.getByRole("button", { name: "Keep it" }).focus();
  await userEvent.keyboard("{Enter}");
  update(aQuestion(ANSWERED));
  expect(document.activeElement?.textContent).toContain("Answered by you");
});

test("an answer from another device takes no focus", () => {
  const { update } = show(aQuestion());
  update(aQuestion(ANSWERED));
  expect(document.activeElement).toBe(document.body);
});

test("a question that the agent let go of says so", () => {
  show(aQuestion({ state: "closed" }));
  expect(screen.getByText("No answer is needed any more")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Keep it" })).toBeNull();
});

test("an end is counted down and then holds, without a word from the server", () => {
  vi.useFakeTimers({ now: Date.parse("2026-11-25T12:00:00Z") });
  show(aQuestion({ expires_at: "2026-11-25T12:04:30Z" }));
  expect(screen.getByText("Expires in 5 min.")).toBeDefined();
  act(() => vi.advanceTimersByTime(2 * 60_000 + 31_000));
  expect(screen.getByText("Expires in 2 min.")).toBeDefined();
  act(() => vi.advanceTimersByTime(29_000));
  act(() => vi.advanceTimersByTime(60_000));
  expect(screen.getByText("Expires in 30 sec.")).toBeDefined();
  act(() => vi.advanceTimersByTime(31_000));
  expect(screen.getByText("Expired without an answer")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Keep it" })).toBeNull();
});

test("what is written and chosen in a question is still there after a look at another chat, and gone once it is sent", async () => {
  const question = aQuestion({ multiple: true, free_text: true });
  const answers = new Answers();
  const view = show(question, answers);
  const words = (): HTMLTextAreaElement => screen.getByRole("textbox");
  const keep = (): HTMLInputElement => screen.getByRole("checkbox", { name: "Keep it" });
  await userEvent.type(words(), "Bob needs it");
  await userEvent.click(keep());
  view.leave();
  const again = show(question, answers);
  expect([words().value, keep().checked]).toEqual(["Bob needs it", true]);
  await userEvent.click(screen.getByRole("button", { name: "Send" }));
  expect(answers.given).toEqual([["msg_1", ["no"], "Bob needs it"]]);
  again.leave();
  show(question, answers);
  expect([words().value, keep().checked]).toEqual(["", false]);
});

test("a question is open for as long as the server takes answers, whatever the clock of the device says", () => {
  vi.useFakeTimers({ now: Date.parse("2026-11-25T13:00:00Z") });
  heardTime("2026-11-25T12:00:00Z");
  show(aQuestion({ expires_at: "2026-11-25T12:30:00Z" }));
  expect(screen.getByText("Expires in 30 min.")).toBeDefined();
  expect(screen.getByRole("button", { name: "Keep it" })).toBeDefined();
});

test("counting down wakes up no oftener than the words change", () => {
  vi.useFakeTimers({ now: Date.parse("2026-11-25T12:00:00Z") });
  show(aQuestion({ expires_at: "2026-11-26T00:30:00Z" }));
  expect(screen.getByText("Expires in 12 hr.")).toBeDefined();
  act(() => void vi.advanceTimersToNextTimer());
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse("2026-11-25T12:30:00Z"));
  expect(screen.getByText("Expires in 11 hr.")).toBeDefined();
});
