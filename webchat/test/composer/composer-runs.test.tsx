import { Refused, Unreachable } from "@amtrio/client";
import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { Composer } from "../../src/composer/composer.tsx";
import { prefer } from "../../src/composer/ways.ts";
import { chat } from "../../src/engine/state.ts";
import { AGENT, HERE, message, show, stage, timeline, type Stage } from "./stage.tsx";

let scene: Stage;
beforeEach(() => {
  scene = stage();
  prefer("steer");
  chat.setState({ runs: { [HERE]: ["run-1"] } });
});

const field = (): HTMLTextAreaElement => screen.getByRole("textbox");
const button = (name: string): HTMLButtonElement => screen.getByRole("button", { name });

function canSteer(): void {
  chat.setState({ agents: { coder: { ...AGENT, supports: ["stop", "steer", "queue"] } } });
}

test("while an answer runs, Stop takes the place of Send, until something is written", async () => {
  show(scene, <Composer conversationId={HERE} />);
  expect(screen.queryByRole("button", { name: "Send" })).toBeNull();
  await userEvent.click(button("Stop"));
  expect(document.activeElement).toBe(field());
  expect(scene.askedFor("stop")).toEqual([["run-1"]]);
  await userEvent.type(field(), "x");
  expect(button("Queue").disabled).toBe(false);
});

test("messages that wait for the end of an answer are counted beside the field, with a way to them", () => {
  timeline(message(1, "first"), message(2, "one", { queued: true }), message(3, "two", { queued: true }), message(4, "gone", { queued: true, deleted: true }));
  show(scene, <Composer conversationId={HERE} />);
  expect(screen.getByText("2 messages wait for Coder")).toBeDefined();
  expect(screen.getByRole("link", { name: "Show" }).getAttribute("href")).toBe(`/c/${HERE}?m=m2`);
  act(() => chat.setState({ runs: {} }));
  expect(screen.queryByText(/wait for Coder/)).toBeNull();
});

test("all that waits is withdrawn at once; one alone has its own way", async () => {
  const [one, two] = [message(2, "one", { queued: true }), message(3, "two", { queued: true })];
  timeline(message(1, "first"), one, two);
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.click(button("Withdraw all"));
  expect(scene.askedFor("withdraw")).toEqual([[one], [two]]);
  act(() => timeline(message(1, "first"), one));
  expect(screen.queryByRole("button", { name: "Withdraw all" })).toBeNull();
});

test("however many of them were taken already, that is said once", async () => {
  timeline(message(1, "one", { queued: true }), message(2, "two", { queued: true }), message(3, "three", { queued: true }));
  scene.refuseWith = new Refused("the agent has it", { code: "taken" });
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.click(button("Withdraw all"));
  expect(await screen.findByText("Too late: the agent has 3 of them already")).toBeDefined();
  expect(screen.getAllByText(/Too late/)).toHaveLength(1);
});

test("whatever else keeps them from being withdrawn is said once as well", async () => {
  timeline(message(1, "one", { queued: true }), message(2, "two", { queued: true }));
  scene.refuseWith = new Unreachable("no answer to message_withdraw");
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.click(button("Withdraw all"));
  expect(await screen.findAllByText(/The server does not answer/)).toHaveLength(1);
});

test("when what waited is no more, what had the focus there gives it to the field", async () => {
  const queued = [message(2, "one", { queued: true }), message(3, "two", { queued: true })];
  timeline(message(1, "first"), ...queued);
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.click(button("Withdraw all"));
  act(() => timeline(message(1, "first"), queued[0]!));
  expect(document.activeElement).toBe(field());
  screen.getByRole("link", { name: "Show" }).focus();
  act(() => timeline(message(1, "first")));
  expect(document.activeElement).toBe(field());
});

test("somebody who is busy elsewhere keeps the focus there when what waited is no more", () => {
  timeline(message(1, "one", { queued: true }));
  show(scene, <Composer conversationId={HERE} />);
  button("Attach files").focus();
  act(() => timeline(message(1, "one")));
  expect(document.activeElement).toBe(button("Attach files"));
});

test("what was withdrawn comes back into the empty field", async () => {
  const [one, two] = [message(2, "one", { queued: true }), message(3, "two", { queued: true })];
  timeline(message(1, "first"), one, two);
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "sent{Enter}");
  await userEvent.click(button("Withdraw all"));
  await waitFor(() => expect(field().value).toBe("one\n\ntwo"));
  expect(screen.getAllByText("2 messages withdrawn")[0]).toBeDefined();
});

test("beside what is being written, what was withdrawn is offered", async () => {
  const [one, two] = [message(2, "one", { queued: true }), message(3, "two", { queued: true })];
  timeline(message(1, "first"), one, two);
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "half a thought");
  await userEvent.click(button("Withdraw all"));
  const back = await screen.findByRole("button", { name: "Put it back" });
  expect(field().value).toBe("half a thought");
  await userEvent.click(back);
  expect(field().value).toBe("half a thought\n\none\n\ntwo");
});

test("what could not be withdrawn does not come back", async () => {
  const [one, two] = [message(2, "one", { queued: true }), message(3, "two", { queued: true })];
  timeline(message(1, "first"), one, two);
  scene.refuseWith = new Refused("the agent has it", { code: "taken" });
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.click(button("Withdraw all"));
  expect(await screen.findByText("Too late: the agent has 2 of them already")).toBeDefined();
  expect(field().value).toBe("");
});

test("Send is back when the answer is over", () => {
  show(scene, <Composer conversationId={HERE} />);
  act(() => chat.setState({ runs: {} }));
  expect(button("Send")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
});

test("Escape stops, in the field and elsewhere on the page", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.keyboard("{Escape}");
  act(() => field().blur());
  await userEvent.keyboard("{Escape}");
  expect(scene.askedFor("stop")).toEqual([["run-1"], ["run-1"]]);
});

test("Escape stops nothing while something is written, here or in a question", async () => {
  show(
    scene,
    <>
      <Composer conversationId={HERE} />
      <textarea aria-label="In your own words" defaultValue="Anna" />
    </>,
  );
  const composer = screen.getByRole("textbox", { name: "Message Coder" });
  await userEvent.type(composer, "half a thought{Escape}");
  act(() => composer.blur());
  await userEvent.keyboard("{Escape}");
  await userEvent.clear(composer);
  await userEvent.type(screen.getByLabelText("In your own words"), "{Escape}");
  expect(scene.askedFor("stop")).toEqual([]);
  composer.focus();
  await userEvent.keyboard("{Escape}");
  expect(scene.askedFor("stop")).toEqual([["run-1"]]);
});

test("Escape that takes back a composition stops nothing, also where the browser tells of it late", async () => {
  show(scene, <Composer conversationId={HERE} />);
  fireEvent.keyDown(field(), { key: "Escape", isComposing: true });
  fireEvent.keyDown(field(), { key: "Escape", keyCode: 229 });
  expect(scene.askedFor("stop")).toEqual([]);
});

test("Escape in an open dialog closes that and stops nothing", async () => {
  show(
    scene,
    <>
      <Composer conversationId={HERE} />
      <dialog open>
        <button type="button">Inside</button>
      </dialog>
    </>,
  );
  button("Inside").focus();
  await userEvent.keyboard("{Escape}");
  expect(scene.askedFor("stop")).toEqual([]);
});

test("Escape in a menu that closes itself stops nothing", async () => {
  const menu = document.createElement("div");
  menu.setAttribute("role", "menu");
  menu.addEventListener("keydown", () => menu.remove());
  menu.tabIndex = 0;
  document.body.append(menu);
  show(scene, <Composer conversationId={HERE} />);
  menu.focus();
  await userEvent.keyboard("{Escape}");
  expect(menu.isConnected).toBe(false);
  expect(scene.askedFor("stop")).toEqual([]);
});

test("a run that was told to stop is not told again, until it does not answer", async () => {
  show(scene, <Composer conversationId={HERE} />);
  act(() => chat.setState({ stopping: { "run-1": "sent" } }));
  await userEvent.click(button("Stopping…"));
  expect(scene.askedFor("stop")).toEqual([]);
  act(() => chat.setState({ stopping: { "run-1": "unresponsive" } }));
  expect(screen.getByText("Coder does not answer")).toBeDefined();
  await userEvent.click(button("Does not answer. Stop again"));
  expect(scene.askedFor("stop")).toEqual([["run-1"]]);
});

test("Enter speaks into the running answer, Ctrl+Enter sends as next", async () => {
  canSteer();
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "in French{Enter}");
  await userEvent.type(field(), "and then{Control>}{Enter}{/Control}");
  expect(scene.askedFor("steer")).toEqual([["run-1", "in French"]]);
  expect(scene.askedFor("send").map(([, content]) => content)).toEqual(["and then"]);
  expect(field().value).toBe("");
});

test("the way that is chosen from the menu is taken, and is the usual one from then on", async () => {
  canSteer();
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "first");
  await userEvent.click(await screen.findByRole("button", { name: "How to send" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: /^Queue/ }));
  expect(scene.askedFor("send").map(([, content]) => content)).toEqual(["first"]);
  await userEvent.type(field(), "second{Enter}");
  expect(scene.askedFor("send").map(([, content]) => content)).toEqual(["first", "second"]);
  expect(scene.askedFor("steer")).toEqual([]);
  expect(localStorage.getItem("amtrio.whileRunning")).toBe("queue");
});

test("what came too late for the run is sent as a message by itself", async () => {
  canSteer();
  scene.refuseWith = new Refused("run 5f2c has ended", { code: "run_closed" });
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "in French{Enter}");
  expect(scene.askedFor("send")).toEqual([[HERE, "in French"]]);
  expect(screen.queryByText(/5f2c/)).toBeNull();
});

test("what may have reached the run or not is sent as a message only if one says so", async () => {
  canSteer();
  scene.refuseWith = new Error("the connection is gone");
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "in French{Enter}");
  expect(await screen.findByText("It did not reach the running answer: the connection is gone")).toBeDefined();
  await userEvent.click(button("Send as message"));
  expect(scene.askedFor("send")).toEqual([[HERE, "in French"]]);
});
