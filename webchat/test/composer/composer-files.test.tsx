import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { Composer } from "../../src/composer/composer.tsx";
import { addFiles } from "../../src/attachments/tray.ts";
import { intend } from "../../src/conversation/intent.ts";
import { chat } from "../../src/engine/state.ts";
import { AGENT, file, HERE, message, show, stage, THERE, type Stage } from "./stage.tsx";

let scene: Stage;
beforeEach(() => {
  scene = stage();
});

const field = (): HTMLTextAreaElement => screen.getByRole("textbox");
const button = (name: string | RegExp): HTMLButtonElement => screen.getByRole("button", { name });
const sent = (): unknown[][] => scene.askedFor("send");

async function attach(...files: File[]): Promise<void> {
  await userEvent.upload(screen.getByTestId("files"), files);
}

async function uploaded(index: number): Promise<void> {
  await act(async () => scene.uploads[index]!.succeed());
}

function pasted(data: { text?: string; files?: File[] }): { clipboardData: DataTransfer } {
  const clipboardData = new DataTransfer();
  if (data.text !== undefined) clipboardData.setData("text/plain", data.text);
  for (const each of data.files ?? []) clipboardData.items.add(each);
  return { clipboardData };
}

test("a file shows its name and how far it is, and can be sent without a word", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await attach(file("report.pdf", 2000, "application/pdf"));
  act(() => scene.uploads[0]!.progress(500, 2000));
  const bar = screen.getByRole("progressbar", { name: "Uploading report.pdf" });
  expect(bar.getAttribute("aria-valuenow")).toBe("25");
  await uploaded(0);
  expect(screen.queryByRole("progressbar")).toBeNull();
  await userEvent.click(button("Send"));
  expect(sent()).toMatchObject([[HERE, "", { attachments: [{ filename: "report.pdf" }] }]]);
  expect(screen.queryByText("report.pdf")).toBeNull();
});

test("a file that comes or goes leaves the focus where one writes, unless somebody is busy elsewhere", async () => {
  show(scene, <Composer conversationId={HERE} />);
  button("Attach files").focus();
  await act(async () => void addFiles(HERE, [file("a.txt", 10)], scene.actions));
  expect(document.activeElement).toBe(field());
  await userEvent.click(button("Cancel a.txt"));
  expect(document.activeElement).toBe(field());
  const elsewhere = document.body.appendChild(document.createElement("input"));
  elsewhere.focus();
  act(() => void addFiles(HERE, [file("b.txt", 10)], scene.actions));
  expect(document.activeElement).toBe(elsewhere);
  elsewhere.remove();
});

test("Send waits for uploads, says so, and can be called off", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await attach(file("a.txt", 10));
  await userEvent.type(field(), "see{Enter}");
  expect(screen.getByText("Sent as soon as the files are uploaded")).toBeDefined();
  expect(field().readOnly).toBe(true);
  await userEvent.click(button("Cancel"));
  expect(field().readOnly).toBe(false);
  await userEvent.type(field(), " it{Enter}");
  expect(sent()).toEqual([]);
  await uploaded(0);
  expect(sent()).toMatchObject([[HERE, "see it", {}]]);
  expect(field().value).toBe("");
});

test("a failed file holds the message back, with the reason, until it is retried or removed", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await attach(file("a.txt", 10));
  await act(async () => scene.uploads[0]!.fail(new Error("no room")));
  expect(screen.getByText("no room")).toBeDefined();
  expect(button("Send").disabled).toBe(true);
  expect(button("Send").title).toBe("Retry or remove the files that failed");
  await userEvent.click(button("Retry a.txt"));
  await uploaded(1);
  expect(button("Send").disabled).toBe(false);
});

test("an upload can be cancelled", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await attach(file("a.txt", 10));
  await userEvent.click(button("Cancel a.txt"));
  expect(scene.uploads[0]!.signal.aborted).toBe(true);
  expect(screen.queryByText("a.txt")).toBeNull();
});

test("a file over the limit is refused aloud, and the notice can be put away", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await attach(file("film.mov", 200_000));
  expect((await screen.findByRole("alert")).textContent).toBe("film.mov is too large (200 kB): at most 100 kB");
  await userEvent.click(button("Dismiss"));
  expect(screen.queryByRole("alert")).toBeNull();
});

test("each chat keeps its files while one looks at another", async () => {
  const { rerender } = show(scene, <Composer conversationId={HERE} />);
  await attach(file("a.txt", 10));
  rerender(<Composer conversationId={THERE} />);
  expect(screen.queryByText("a.txt")).toBeNull();
  await uploaded(0);
  rerender(<Composer conversationId={HERE} />);
  expect(button("Remove a.txt")).toBeDefined();
});

test("coming back after a message with files went out leaves the new draft alone", async () => {
  const { rerender } = show(scene, <Composer conversationId={HERE} />);
  await attach(file("a.txt", 10));
  await userEvent.type(field(), "see{Enter}");
  await uploaded(0);
  await userEvent.type(field(), "next");
  rerender(<Composer conversationId={THERE} />);
  rerender(<Composer conversationId={HERE} />);
  expect(field().value).toBe("next");
});

test("pictures that are pasted are attached", async () => {
  show(scene, <Composer conversationId={HERE} />);
  fireEvent.paste(field(), pasted({ files: [file("image.png", 10, "image/png")] }));
  expect(await screen.findByText("image.png")).toBeDefined();
});

test("a long paste becomes a file, and can be text after all", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.type(field(), "look: ");
  const text = "line\n".repeat(200);
  fireEvent.paste(field(), pasted({ text }));
  expect(await screen.findByText("Pasted text.txt")).toBeDefined();
  expect(field().value).toBe("look: ");
  await userEvent.click(button("Paste as text"));
  expect(field().value).toBe("look: " + text);
  expect(screen.queryByText("Pasted text.txt")).toBeNull();
});

test("a short paste, and a long one where files may not go, are left to the browser", () => {
  show(scene, <Composer conversationId={HERE} />);
  expect(fireEvent.paste(field(), pasted({ text: "short" }))).toBe(true);
  act(() => chat.setState({ agents: { coder: { ...AGENT, supports: ["stop"] } } }));
  expect(fireEvent.paste(field(), pasted({ text: "line\n".repeat(200) }))).toBe(true);
});

test("an agent that takes no files is offered none, with the reason", async () => {
  chat.setState({ agents: { coder: { ...AGENT, supports: ["stop"] } } });
  show(scene, <Composer conversationId={HERE} />);
  await userEvent.click(button("Attach files: This agent does not take files"));
  expect(screen.getByText("This agent does not take files")).toBeDefined();
});

test("a message with files is not spoken into a run: it is queued", async () => {
  chat.setState({
    agents: { coder: { ...AGENT, supports: ["steer", "queue", "attachments"] } },
    runs: { [HERE]: ["run-1"] },
  });
  show(scene, <Composer conversationId={HERE} />);
  await attach(file("a.txt", 10));
  await uploaded(0);
  await userEvent.type(field(), "see{Enter}");
  expect(scene.askedFor("steer")).toEqual([]);
  expect(sent()).toMatchObject([[HERE, "see", { attachments: [{ filename: "a.txt" }] }]]);
});

test("a reply that was waiting for its file leaves an edit alone that was begun meanwhile", async () => {
  show(scene, <Composer conversationId={HERE} />);
  await attach(file("a.txt", 10));
  act(() => intend(HERE, { kind: "reply", message: message(1, "Question", { sender_type: "agent" }) }));
  await userEvent.type(field(), "see{Enter}");
  act(() => intend(HERE, { kind: "edit", message: message(2, "old") }));
  await userEvent.type(field(), "er");
  await uploaded(0);
  expect(sent()).toMatchObject([[HERE, "see", { replyTo: "m1" }]]);
  expect(screen.getByText("Editing your message")).toBeDefined();
  expect(field().value).toBe("older");
});
