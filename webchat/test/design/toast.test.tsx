import { Unreachable } from "@amtrio/client";
import { act, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Dialog } from "../../src/design/dialog.tsx";
import { notify, notifyError, Toasts } from "../../src/design/toast.tsx";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => {
  act(() => vi.runAllTimers());
  vi.useRealTimers();
});

function Page({ dialogs }: { readonly dialogs: readonly string[] }) {
  return (
    <>
      {dialogs.map((title) => (
        <Dialog key={title} title={title} onClose={() => undefined}>
          Words
        </Dialog>
      ))}
      <Toasts />
    </>
  );
}

test("a notice is part of the uppermost dialog, outside of which nothing can be pressed or heard", () => {
  const { rerender } = render(<Page dialogs={["Lower", "Upper"]} />);
  act(() => void notify({ text: "It did not work" }));
  expect(within(screen.getByRole("dialog", { name: "Upper" })).getByText("It did not work")).toBeDefined();
  rerender(<Page dialogs={["Lower"]} />);
  expect(within(screen.getByRole("dialog", { name: "Lower" })).getByText("It did not work")).toBeDefined();
  rerender(<Page dialogs={[]} />);
  expect(screen.getByText("It did not work")).toBeDefined();
});

test("a notice goes when its time has come, wherever it has moved meanwhile", () => {
  const { rerender } = render(<Page dialogs={[]} />);
  act(() => void notify({ text: "Message deleted", forMs: 5000 }));
  act(() => vi.advanceTimersByTime(4000));
  rerender(<Page dialogs={["Details"]} />);
  expect(screen.getByText("Message deleted")).toBeDefined();
  act(() => vi.advanceTimersByTime(1001));
  expect(screen.queryByText("Message deleted")).toBeNull();
});

const undo = { label: "Undo", run: () => undefined };

function notices(): string[] {
  return [...screen.getByRole("status", { name: "Notices" }).children].map((each) => each.textContent);
}

test("of notices that only tell something the last three are shown", () => {
  render(<Toasts />);
  act(() => ["a", "b", "c", "d"].forEach((text) => notify({ text })));
  expect(notices()).toEqual(["b", "c", "d"]);
});

test("a notice that can bring something back outlasts those that only tell something", () => {
  render(<Toasts />);
  act(() => void notify({ text: "Not changed: ", action: undo, forMs: 20_000 }));
  act(() => ["a", "b", "c", "d"].forEach((text) => notify({ text })));
  expect(notices()).toEqual(["Not changed: Undo", "c", "d"]);
  act(() => ["e", "f", "g"].forEach((text) => notify({ text, action: undo })));
  expect(notices()).toEqual(["Not changed: Undo", "eUndo", "fUndo", "gUndo"]);
  act(() => void notify({ text: "h" }));
  expect(notices()).toEqual(["Not changed: Undo", "eUndo", "fUndo", "gUndo", "h"]);
});

test("many that can bring something back do not fill the page: those whose time ends first make room", () => {
  render(<Toasts />);
  act(() => void notify({ text: "words", action: undo, forMs: 20_000 }));
  act(() => ["a", "b", "c", "d", "e", "f"].forEach((text) => notify({ text, action: undo })));
  const kept = ["words", "b", "c", "d", "e", "f"].map((text) => `${text}Undo`);
  expect(notices()).toEqual(kept);
  act(() => void notify({ text: "g" }));
  expect(notices()).toEqual([...kept, "g"]);
});

test("a server that does not answer is told in words for people, not with a route", () => {
  render(<Toasts />);
  act(() => notifyError(new Unreachable("POST /conversations: Failed to fetch")));
  expect(screen.getByText("The server does not answer. Look at your connection, then try again.")).toBeDefined();
});

test("its button in a dialog does what it says, and closes nothing else", async () => {
  vi.useRealTimers();
  const [close, undo] = [vi.fn<() => void>(), vi.fn<() => void>()];
  render(
    <>
      <Dialog title="Details" onClose={close}>
        Words
      </Dialog>
      <Toasts />
    </>,
  );
  act(() => void notify({ text: "Message deleted", action: { label: "Undo", run: undo } }));
  await userEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Undo" }));
  expect([undo.mock.calls.length, close.mock.calls.length]).toEqual([1, 0]);
  vi.useFakeTimers();
});
