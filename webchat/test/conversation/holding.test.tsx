import { act, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { chooseHolding } from "../../src/conversation/hold-choice.ts";
import { live } from "../../src/engine/live.ts";
import { chat } from "../../src/engine/state.ts";
import { pretendLayout, ROW_PX, VIEWPORT_PX } from "./layout.ts";
import { change, ID, know, own, recording, said, show } from "./scene.tsx";

const { grow } = pretendLayout();

/** The question is the last but one of thirty rows; its answer grows to three screens. */
async function ask(runId: string): Promise<HTMLElement> {
  const messages = Array.from({ length: 28 }, (_, index) => said(index + 1, `Words ${index + 1}`));
  know(messages);
  show(recording().actions);
  act(() => change({ messages: [...messages, own(29, "A long story, please")] }));
  act(() => {
    live.set({ run_id: runId, conversation_id: ID, agent_id: "demo", reply_to: "m29", started_at: "2026-11-25T12:30:00Z", rev: 1, parts: [] });
    chat.setState({ runs: { [ID]: [runId] } });
  });
  const log = screen.getByRole("log");
  const answer = log.querySelector<HTMLElement>(`[data-row="r:${runId}"]`)!.closest<HTMLElement>("[data-index]")!;
  for (let px = ROW_PX; px <= 3 * VIEWPORT_PX; px += ROW_PX) await grow(answer, px);
  return log;
}

function questionTop(log: HTMLElement): number {
  const question = screen.getByText("A long story, please").closest<HTMLElement>("[data-index]")!;
  return Number.parseFloat(question.style.top) - log.scrollTop;
}

it("A long answer is followed to its end", async () => {
  const log = await ask("r1");
  expect(log.scrollHeight - log.scrollTop).toBe(VIEWPORT_PX);
});

it("Whoever holds the question reads a long answer from its beginning", async () => {
  chooseHolding(true);
  expect(questionTop(await ask("r2"))).toBe(0);
});
