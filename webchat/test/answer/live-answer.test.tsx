import type { RunView } from "@amtrio/client";
import { act, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { LiveAnswer } from "../../src/answer/live-answer.tsx";
import { live } from "../../src/engine/live.ts";
import { aPart } from "./parts.ts";

function say(text: string): void {
  const run: RunView = {
    run_id: "run-1",
    conversation_id: "conv_1",
    agent_id: "demo",
    reply_to: undefined,
    started_at: "2026-11-25T12:00:00Z",
    rev: text.length,
    parts: [aPart(0, "text", text)],
  };
  act(() => {
    live.set(run);
    live.flush();
  });
}

afterEach(() => live.clear());

test("words are shown as they arrive, and the place is busy until the end", () => {
  say("Hel");
  const { container } = render(<LiveAnswer runId="run-1" />);
  expect(container.querySelector("[aria-busy=true]")?.textContent).toBe("Hel");
  say("Hello");
  expect(screen.getByText("Hello")).toBeDefined();
});

test("what stands around an answer is not drawn again when words arrive", () => {
  say("Hel");
  let drawn = 0;
  function Around() {
    drawn += 1;
    return <LiveAnswer runId="run-1" />;
  }
  render(<Around />);
  say("Hello");
  say("Hello you");
  expect(drawn).toBe(1);
  expect(screen.getByText("Hello you")).toBeDefined();
});

test("a run that is over shows nothing: its message does", () => {
  expect(render(<LiveAnswer runId="run-1" />).container.textContent).toBe("");
});
