import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import type { HistoryPage, HistoryQuery } from "@amtrio/client";
import { ExportDialog } from "../../../src/conversation/dialogs/export-dialog.tsx";
import { conversation, ID, know, recording, said, show } from "../scene.tsx";

const saved: { name: string; blob: Blob }[] = [];

beforeEach(() => {
  saved.length = 0;
  let last: Blob;
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    last = blob as Blob;
    return "blob:x";
  });
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, blob: last });
  });
});

/** Five messages, two per page. */
function history(_id: string, { before = 6 }: HistoryQuery): Promise<HistoryPage> {
  const newest = Number(before) - 1;
  const messages = [newest - 1, newest].filter((seq) => seq > 0).map((seq) => said(seq, `Words ${seq}`));
  return Promise.resolve({ conversation_id: ID, messages, has_more: newest > 2, epoch: "e", seq: 1 });
}

function open(rest: object, onClose = vi.fn(), decipher: unknown = undefined) {
  know([]);
  show(recording({ rest, decipher } as object).actions, <ExportDialog conversation={conversation({ title: "Holiday", lastSeq: 5 })} agentName="Demo" onClose={onClose} />);
  return onClose;
}

it("All pages are fetched and written in order", async () => {
  const onClose = open({ history });
  await userEvent.click(screen.getByRole("button", { name: "JSON, for programs" }));
  await waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  expect(saved[0]!.name).toBe("Holiday.json");
  const { messages } = JSON.parse(await saved[0]!.blob.text());
  expect(messages.map((each: { conversation_seq: number }) => each.conversation_seq)).toEqual([1, 2, 3, 4, 5]);
  expect(screen.getByText("5 messages were exported")).toBeTruthy();
});

it("It can be stopped on the way, and nothing is written then", async () => {
  const onClose = open({
    history: (_id: string, _query: HistoryQuery, signal: AbortSignal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  });
  await userEvent.click(screen.getByRole("button", { name: "Markdown, to read" }));
  expect(screen.getByRole("progressbar")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Stop" }));
  expect(await screen.findByRole("button", { name: "Markdown, to read" })).toBeTruthy();
  expect([saved, onClose.mock.calls]).toEqual([[], []]);
});

it("What went wrong is said", async () => {
  open({ history: () => Promise.reject(new Error("The server cannot be reached.")) });
  await userEvent.click(screen.getByRole("button", { name: "Markdown, to read" }));
  expect(await screen.findByText("The server cannot be reached.")).toBeTruthy();
});

it("Encrypted messages are written as they read, those too that were never on the screen", async () => {
  const onClose = vi.fn<() => void>();
  const sealed = (over: object): Promise<HistoryPage> => {
    const messages = [said(1, "hQEMA", { kind: "encrypted" }), said(2, "hQEMB", { kind: "encrypted" })];
    return Promise.resolve({ conversation_id: ID, messages, has_more: false, epoch: "e", seq: 1, ...over });
  };
  const file = { attachment_id: "a1", filename: "plan.txt", content_type: "text/plain", size: 1, url: "", created_at: "", key: "k", mediaType: "text/plain" };
  open({ history: sealed }, onClose, async () => ({ plain: { m1: "The secret plan", m2: null }, sealedFiles: { m1: [file] } }));
  await userEvent.click(screen.getByRole("button", { name: "Markdown, to read" }));
  await waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  const text = await saved[0]!.blob.text();
  expect(text).toContain("The secret plan");
  expect(text).toContain("plan.txt");
  expect(text.match(/This device cannot read this message/g)).toHaveLength(1);
});
