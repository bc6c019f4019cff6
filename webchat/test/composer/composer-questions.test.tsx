import { Refused, type Message, type Question, type RunView } from "@amtrio/client";
import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";
import { keepAnswer } from "../../src/answer/begun-answers.ts";
import { Composer } from "../../src/composer/composer.tsx";
import { live } from "../../src/engine/live.ts";
import { chat } from "../../src/engine/state.ts";
import { AGENT, HERE, message, show, stage, timeline, type Stage } from "./stage.tsx";

let scene: Stage;
beforeEach(() => {
  scene = stage();
  live.clear();
  chat.setState({ runs: { [HERE]: ["run-1"] }, agents: { coder: { ...AGENT, supports: ["stop", "steer", "queue"] } } });
});

const QUESTION: Question = { options: [], multiple: false, free_text: true, state: "open" };
const asks = (seq: number, more: Partial<Question> = {}): Message =>
  message(seq, "What is it called?", { sender_type: "agent", sender_id: "coder", question: { ...QUESTION, ...more } });
const field = (): HTMLTextAreaElement => screen.getByRole("textbox");
const button = (name: string): HTMLButtonElement => screen.getByRole("button", { name });

test("while a question of the running answer waits for words, Enter answers it", async () => {
  const question = asks(2);
  timeline(message(1, "Go on"), question);
  show(scene, <Composer conversationId={HERE} />);
  expect(field().placeholder).toBe("Answer Coder’s question");
  await userEvent.type(field(), "Anna{Enter}");
  expect(scene.askedFor("answer")).toEqual([[question, [], "Anna"]]);
  expect(scene.askedFor("steer")).toEqual([]);
  expect(field().value).toBe("");
});

test("whoever wants to say something else can, and can come back to it", async () => {
  timeline(message(1, "Go on"), asks(2));
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.click(button("Write a message"));
  await userEvent.type(field(), "in French{Enter}");
  expect(scene.askedFor("steer")).toEqual([["run-1", "in French"]]);
  await userEvent.click(button("Answer it"));
  await userEvent.type(field(), "Anna{Enter}");
  expect(scene.askedFor("answer")).toHaveLength(1);
});

test("what was being written when the question came is no answer to it", async () => {
  timeline(message(1, "Go on"));
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "in Fre");
  act(() => timeline(message(1, "Go on"), asks(2)));
  await userEvent.type(field(), "nch{Enter}");
  expect(scene.askedFor("answer")).toEqual([]);
  expect(scene.askedFor("steer")).toEqual([["run-1", "in French"]]);
});

test("boxes that are ticked in the question belong to the answer", async () => {
  timeline(message(1, "Go on"), asks(2, { multiple: true, options: [{ id: "a", label: "A" }] }));
  show(scene, <Composer conversationId={HERE} />);
  act(() => keepAnswer("m2", { chosen: ["a"] }));
  await userEvent.type(field(), "and more{Enter}");
  expect(scene.askedFor("answer").map(([, ...said]) => said)).toEqual([[["a"], "and more"]]);
});

test("an answer that came too late is back in the field", async () => {
  timeline(message(1, "Go on"), asks(2));
  scene.refuseWith = new Refused("answered", { code: "answered" });
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "Anna{Enter}");
  await waitFor(() => expect(field().value).toBe("Anna"));
  expect(screen.getByText("The question does not wait for an answer any more")).toBeDefined();
});

test("what is too long for an answer is not sent, and it is said why", async () => {
  timeline(message(1, "Go on"), asks(2));
  show(scene, <Composer conversationId={HERE} />);
  act(() => field().focus());
  await userEvent.paste("x".repeat(4001));
  await userEvent.keyboard("{Enter}");
  expect(scene.askedFor("answer")).toEqual([]);
  expect(screen.getByRole("alert").textContent).toBe("Too long: an answer takes at most 4,000 characters");
});

test("in an encrypted conversation nothing is said in plain words", async () => {
  timeline(message(1, "Go on"), asks(2));
  chat.setState({ secrecy: { [HERE]: { kind: "on", safetyNumber: "1", verified: true } } });
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "Anna{Enter}");
  expect(scene.askedFor("answer")).toEqual([]);
  expect(scene.askedFor("send")).toHaveLength(1);
});

describe("taken for one that waits for words is", () => {
  const begun = (startedAt: string): void => live.set({ run_id: "run-1", started_at: startedAt } as RunView);
  const isAnswered = (): boolean => screen.queryByRole("button", { name: "Write a message" }) !== null;

  test.each([
    { what: "an open one", messages: [message(1, "Go on"), asks(2)], is: true },
    { what: "one after which something was steered", messages: [asks(2), message(3, "so", { steers: "run-1" })], is: true },
    { what: "one after which something was queued", messages: [asks(2), message(3, "then", { queued: true })], is: true },
    { what: "not one with buttons alone", messages: [asks(2, { free_text: false })], is: false },
    { what: "not one that was answered", messages: [asks(2, { state: "answered" })], is: false },
  ])("$what", ({ messages, is }) => {
    begun("2026-01-01T00:00:00.000Z");
    timeline(...messages.map((each) => ({ ...each, created_at: "2026-01-01T00:00:01.000Z" })));
    show(scene, <Composer conversationId={HERE} />);
    expect(isAnswered()).toBe(is);
  });

  test("not one of an answer that is over", () => {
    begun("2026-01-02T00:00:00.000Z");
    timeline({ ...asks(2), created_at: "2026-01-01T00:00:00.000Z" }, message(3, "Next"));
    show(scene, <Composer conversationId={HERE} />);
    expect(isAnswered()).toBe(false);
  });
});
