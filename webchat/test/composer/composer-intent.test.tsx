import { Refused } from "@amtrio/client";
import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { Composer } from "../../src/composer/composer.tsx";
import { intend } from "../../src/conversation/intent.ts";
import { chat } from "../../src/engine/state.ts";
import { HERE, message, show, stage, THERE, timeline, type Stage } from "./stage.tsx";

let scene: Stage;
beforeEach(() => {
  scene = stage();
});

const field = (): HTMLTextAreaElement => screen.getByRole("textbox");
const answer = message(1, "The answer", { sender_type: "agent", sender_id: "coder" });

test("a reply shows what it answers, and carries it once", async () => {
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "reply", message: answer }));
  expect(screen.getByText("Replying to Coder")).toBeDefined();
  expect(screen.getByText("The answer")).toBeDefined();
  await userEvent.type(field(), "why?{Enter}so{Enter}");
  expect(scene.askedFor("send").map(([, , options]) => (options as { replyTo?: string }).replyTo)).toEqual([
    "m1",
    undefined,
  ]);
});

test("what is answered is quoted without the signs of Markdown", () => {
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "reply", message: { ...answer, content: "# The **loud** `answer`" } }));
  expect(screen.getByText("The loud answer")).toBeDefined();
});

test("Escape and Cancel give up a reply and leave the text", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "text");
  for (const cancel of [() => userEvent.keyboard("{Escape}"), () => userEvent.click(screen.getByLabelText("Cancel"))]) {
    act(() => intend(HERE, { kind: "reply", message: answer }));
    await cancel();
    expect(screen.queryByText("Replying to Coder")).toBeNull();
  }
  expect(field().value).toBe("text");
});

test("Escape gives up the reply first and stops the run only then", async () => {
  chat.setState({ runs: { [HERE]: ["run-1"] } });
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "reply", message: answer }));
  await userEvent.keyboard("{Escape}");
  expect(scene.askedFor("stop")).toEqual([]);
  await userEvent.keyboard("{Escape}");
  expect(scene.askedFor("stop")).toEqual([["run-1"]]);
});

test("a quoted secret is shown as this device reads it", () => {
  chat.setState({ plain: { m7: "the plan" } });
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "reply", message: message(7, "q83v", { kind: "encrypted" }) }));
  expect(screen.getByText("the plan")).toBeDefined();
});

test("quoted secret files are counted, as far as its message speaks of them", () => {
  const file = { attachment_id: "a1", filename: "a", content_type: "text/plain", size: 1, url: "", created_at: "", key: "k", mediaType: "text/plain" };
  chat.setState({ plain: { m7: "" }, sealedFiles: { m7: [file, { ...file, attachment_id: "a2" }] } });
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "reply", message: message(7, "q83v", { kind: "encrypted", attachments: [file] }) }));
  expect(screen.getByText("2 files")).toBeDefined();
});

test("Up in an empty field edits the last own message, lines and all", async () => {
  timeline(message(1, "one\ntwo"), message(2, "answer", { sender_type: "agent" }));
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.keyboard("{ArrowUp}");
  expect(field().value).toBe("one\ntwo");
  await userEvent.type(field(), "{Shift>}{Enter}{/Shift}three{Enter}");
  expect(scene.askedFor("edit").map(([, content]) => content)).toEqual(["one\ntwo\nthree"]);
  expect(scene.askedFor("send")).toEqual([]);
});

test("Alt+Up goes to another chat and edits nothing", async () => {
  timeline(message(1, "mine"));
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.keyboard("{Alt>}{ArrowUp}{/Alt}");
  expect(screen.queryByText("Editing your message")).toBeNull();
});

test("Up in a field with text moves the caret and edits nothing", async () => {
  timeline(message(1, "mine"));
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "text{ArrowUp}");
  expect(screen.queryByText("Editing your message")).toBeNull();
});

test("the draft comes back after an edit, saved or not", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "my draft");
  act(() => intend(HERE, { kind: "edit", message: message(1, "old") }));
  expect(field().value).toBe("old");
  await userEvent.type(field(), "er{Enter}");
  expect(field().value).toBe("my draft");
  act(() => intend(HERE, { kind: "edit", message: message(2, "other") }));
  await userEvent.type(field(), "!{Escape}");
  expect(field().value).toBe("my draft");
  expect(scene.askedFor("edit").map(([, content]) => content)).toEqual(["older"]);
});

test("saying that one is typing is not for edits, and they are no drafts", async () => {
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "edit", message: message(1, "old") }));
  await userEvent.type(field(), "er");
  expect(scene.askedFor("typing")).toEqual([]);
  expect(scene.askedFor("setDraft")).toEqual([]);
});

test("an unchanged text is not sent as an edit, and an empty one cannot be saved", async () => {
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "edit", message: message(1, "old") }));
  await userEvent.clear(field());
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Save" }).disabled).toBe(true);
  await userEvent.type(field(), "old{Enter}");
  expect(scene.askedFor("edit")).toEqual([]);
});

test("an unfinished edit outlives a look at another chat", async () => {
  const { rerender } = show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "edit", message: message(1, "old") }));
  await userEvent.type(field(), "er");
  rerender(<Composer conversationId={THERE} />);
  rerender(<Composer conversationId={HERE} />);
  expect(field().value).toBe("older");
});

test("a refused edit can be taken up again with its text", async () => {
  scene.refuseWith = new Error("too old");
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "edit", message: message(1, "old") }));
  await userEvent.type(field(), "er{Enter}");
  expect(await screen.findByText("The message was not changed: too old")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Edit again" }));
  expect(field().value).toBe("older");
});

test("the new text of a message that was deleted meanwhile is offered as a draft, and joins what is written already", async () => {
  scene.refuseWith = new Refused("cannot edit a deleted message", { code: "conflict" });
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "my draft");
  act(() => intend(HERE, { kind: "edit", message: message(1, "old") }));
  await userEvent.type(field(), "er{Enter}");
  expect(await screen.findByText("The message was not changed: it has been deleted meanwhile")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Edit again" })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Keep as draft" }));
  expect(field().value).toBe("my draft\n\nolder");
});
