import { expect, it } from "vitest";
import { asJson, asMarkdown, fileNameOf } from "../../../src/conversation/dialogs/transcript.ts";
import { conversation, minutesLater, own, said } from "../scene.tsx";

const say = { you: "You", unreadable: "[unreadable]", attached: (name: string) => `Attached: ${name}` };
const file = { attachment_id: "a1", filename: "garden.jpg", content_type: "image/jpeg", size: 1, url: "/attachments/a1", created_at: minutesLater(1) };

function transcript(messages = [own(1, "Hello", { attachments: [file] }), said(2, "Hi **there**")]) {
  return {
    conversation: conversation({ title: "Holiday plans" }),
    agentName: "Demo",
    messages,
    textOf: (message: (typeof messages)[number]) => (message.kind === "encrypted" ? null : message.content),
    filesOf: (message: (typeof messages)[number]) => (message.kind === "encrypted" ? [] : (message.attachments ?? [])),
    exportedAt: new Date(minutesLater(60)),
  };
}

it("For people it says who said what, and when", () => {
  const text = asMarkdown(transcript(), say);
  expect(text).toMatch(
    /^# Holiday plans\n\n## Wednesday, November 25, 2026\n\n\*\*You\*\*, 12:01 PM\n\nHello\n\n\*Attached: garden\.jpg\*\n\n\*\*Demo\*\*, 12:02 PM\n\nHi \*\*there\*\*\n$/,
  );
});

it("What cannot be read is said to be so, what is deleted is not there", () => {
  const text = asMarkdown(transcript([own(1, "hQEMA", { kind: "encrypted" }), said(2, "", { deleted: true })]), say);
  expect(text).toContain("[unreadable]");
  expect(text).not.toContain("hQEMA");
  expect(text).not.toContain("Demo");
});

it("For programs it is the messages as they are, with what this device can read", () => {
  const written = JSON.parse(asJson(transcript([own(1, "hQEMA", { kind: "encrypted" }), said(2, "Hi")])));
  expect(written.conversation.title).toBe("Holiday plans");
  expect(written.messages).toMatchObject([{ message_id: "m1", decrypted_content: null }, { message_id: "m2", content: "Hi" }]);
});

it("Files of encrypted messages are named as their senders call them, without what opens them", () => {
  const stored = { ...file, filename: "encrypted", content_type: "application/octet-stream" };
  const sealed = { ...file, key: "the key" };
  const written = { ...transcript([own(1, "hQEMA", { kind: "encrypted", attachments: [stored] })]), textOf: () => "Look", filesOf: () => [sealed] };
  expect(asMarkdown(written, say)).toContain("Look\n\n*Attached: garden.jpg*");
  const [message] = JSON.parse(asJson(written)).messages;
  expect(message.decrypted_attachments).toEqual([{ attachment_id: "a1", filename: "garden.jpg", content_type: "image/jpeg", size: 1 }]);
  expect(asJson(written)).not.toContain("the key");
});

it.each([
  ["Holiday plans", "Holiday-plans.md"],
  ["a/b: c? \\ *", "ab-c.md"],
  ["../../etc", "etc.md"],
  ["Grüße 日本", "Grüße-日本.md"],
  ["???", "amtrio.md"],
])("The file of %j is called %j", (title, name) => {
  expect(fileNameOf(title, "md")).toBe(name);
});
