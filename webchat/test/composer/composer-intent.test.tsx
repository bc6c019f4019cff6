import { Refused } from "@amtrio/client";
import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { Composer } from "../../src/composer/composer.tsx";
import { intend } from "../../src/conversation/intent.ts";
import { clearNotices } from "../../src/design/toast.tsx";
import { chat } from "../../src/engine/state.ts";
import { HERE, message, show, stage, THERE, timeline, type Stage } from "./stage.tsx";

let scene: Stage;
beforeEach(() => {
  clearNotices();
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

test("what is answered is shown as it is now, and not at all once it was deleted", async () => {
  timeline(answer);
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "reply", message: answer }));
  act(() => timeline({ ...answer, content: "The better answer" }));
  expect(screen.getByText("The better answer")).toBeDefined();
  act(() => timeline({ ...answer, content: "", deleted: true }));
  expect(screen.getByText("Replying to Coder")).toBeDefined();
  expect(screen.getByText("This message was deleted")).toBeDefined();
  expect(screen.queryByText(/better/)).toBeNull();
});

test("what is answered is asked for while it is far from what is shown, and never again as it was before", () => {
  timeline(answer);
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "reply", message: answer }));
  act(() => timeline({ ...answer, content: "The better answer" }));
  expect(scene.askedFor("loadQuoted")).toEqual([]);
  act(() => timeline(message(90, "elsewhere")));
  expect(scene.askedFor("loadQuoted")).toEqual([["m1"]]);
  expect(screen.getByText("The better answer")).toBeDefined();
  act(() => chat.setState({ quoted: { m1: { ...answer, content: "", deleted: true } } }));
  expect(screen.getByText("This message was deleted")).toBeDefined();
});

test("a change to what is answered does not take the focus, and choosing to answer it once more does", async () => {
  timeline(answer);
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "reply", message: answer }));
  const cancel = screen.getByLabelText("Cancel");
  cancel.focus();
  act(() => timeline({ ...answer, content: "The better answer" }));
  expect(document.activeElement).toBe(cancel);
  act(() => intend(HERE, { kind: "reply", message: { ...answer, content: "The better answer" } }));
  expect(document.activeElement).toBe(field());
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

test("an edit that was not begun in earnest follows what another device makes of the message, and overwrites nothing", async () => {
  timeline(message(1, "mine"));
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.keyboard("{ArrowUp}");
  act(() => timeline(message(1, "mine, from there")));
  expect(field().value).toBe("mine, from there");
  await userEvent.keyboard("{Enter}");
  expect(scene.askedFor("edit")).toEqual([]);
  await userEvent.keyboard("{ArrowUp}");
  act(() => timeline(message(1, "", { deleted: true })));
  expect(field().value).toBe("");
  expect(screen.getByText("This message was deleted")).toBeDefined();
});

test("what was written instead of a message that is deleted elsewhere stays, and comes back as the draft when it is saved", async () => {
  timeline(message(1, "mine"));
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.keyboard("{ArrowUp}");
  await userEvent.type(field(), ", from here");
  act(() => timeline(message(1, "", { deleted: true })));
  expect(field().value).toBe("mine, from here");
  expect(screen.getByText("This message was deleted")).toBeDefined();
  await userEvent.type(field(), "{Enter}");
  expect(screen.getByText("The message was not changed: it has been deleted meanwhile")).toBeDefined();
  expect(screen.queryByText("Editing your message")).toBeNull();
  expect(field().value).toBe("mine, from here");
  expect(scene.askedFor("edit")).toEqual([]);
  expect(scene.askedFor("setDraft")).toEqual([[HERE, "mine, from here"]]);
});

test("the new text of a message that turns out to be deleted becomes the draft, or is offered to the one that is written already", async () => {
  scene.refuseWith = new Refused("cannot edit a deleted message", { code: "conflict" });
  show(scene, <Composer conversationId={HERE} />);
  act(() => intend(HERE, { kind: "edit", message: message(1, "old") }));
  await userEvent.type(field(), "er{Enter}");
  expect(await screen.findByText("The message was not changed: it has been deleted meanwhile")).toBeDefined();
  expect(screen.queryByRole("button", { name: "Edit again" })).toBeNull();
  expect(field().value).toBe("older");
  act(() => intend(HERE, { kind: "edit", message: message(2, "new") }));
  await userEvent.type(field(), "er{Enter}");
  expect(field().value).toBe("older");
  await userEvent.click(await screen.findByRole("button", { name: "Put it back" }));
  expect(field().value).toBe("older\n\nnewer");
});
