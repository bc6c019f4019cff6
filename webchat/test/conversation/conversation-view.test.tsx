import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Message, Reaction } from "@amtrio/client";
import { live } from "../../src/engine/live.ts";
import { chat } from "../../src/engine/state.ts";
import { pretendLayout } from "./layout.ts";
import { answered, change, changeConversation, conversation, ID, know, of, outgoing, own, recording, said, SELF, show } from "./scene.tsx";

pretendLayout();
beforeAll(() => Promise.all([import("../../src/conversation/message-menu.tsx"), import("../../src/conversation/dialogs/conversation-dialog.tsx")]));

function message(text: string): HTMLElement {
  return screen.getByText(text).closest("article")!;
}

it("Opening a conversation asks for its messages", () => {
  know([]);
  const { actions, asked } = recording();
  show(actions);
  expect(asked[0]).toEqual(["show", ID]);
});

it("An answer that is stopped before it said anything leaves a notice, one that has said something leaves itself", async () => {
  const stop = (runId: string, left: readonly Message[]) =>
    act(async () => {
      chat.setState({ runs: { [ID]: [runId] } });
      chat.setState({ stopping: { [runId]: "sent" } });
      chat.setState({ runs: { [ID]: [] }, stopping: {} });
      change({ messages: left });
    });
  const asked = own(1, "How is the weather?");
  know([asked]);
  show(recording().actions);
  await stop("r1", [asked, answered(2, "Sun", "r1")]);
  expect(screen.queryByText("Stopped before it said anything")).toBeNull();
  await stop("r2", [asked]);
  expect(screen.getByText("Stopped before it said anything")).toBeTruthy();
});

describe("own messages", () => {
  it("say in words how far they have come", () => {
    know([own(1, "One"), own(2, "Two"), own(3, "Three")], {
      conversations: { [ID]: conversation({ receipts: [{ account_kind: "agent", account_id: "demo", read_up_to: 1, delivered_up_to: 2 }] }) },
      outgoing: { [ID]: [outgoing("k4", "Four", { state: "waiting" }), outgoing("k5", "Five", { createdAt: 2e12 })] },
    });
    show(recording().actions);
    const states = ["One", "Two", "Three", "Four", "Five"].map((text) => within(message(text)).getByRole("img").getAttribute("aria-label"));
    expect(states).toEqual(["Read", "Delivered", "Sent", "Waiting for a connection", "Being sent"]);
  });

  it("are read as soon as the agent has read them", () => {
    know([own(1, "One")]);
    show(recording().actions);
    act(() => changeConversation({ receipts: [{ account_kind: "agent", account_id: "demo", read_up_to: 1, delivered_up_to: 1 }] }));
    expect(within(message("One")).getByRole("img", { name: "Read" })).toBeTruthy();
  });

  it("that failed say why, and can be tried again or discarded", async () => {
    know([], { outgoing: { [ID]: [outgoing("k1", "Too long", { state: "failed", error: "Larger than 64 kB." })] } });
    const { actions, asked } = recording();
    show(actions);
    const row = message("Too long");
    expect(row.textContent).toContain("Larger than 64 kB.");
    await userEvent.click(within(row).getByRole("button", { name: "Try again" }));
    await userEvent.click(within(row).getByRole("button", { name: "Discard" }));
    expect(asked.slice(1)).toEqual([["retry", "k1"], ["discard", "k1"]]);
  });

  it("stay the same element when they arrive, so that the focus stays", () => {
    know([], { outgoing: { [ID]: [outgoing("k1", "Hello")] } });
    show(recording().actions);
    const before = message("Hello");
    act(() => before.focus());
    act(() => change({ messages: [own(1, "Hello")] }));
    expect(document.activeElement).toBe(before);
    expect(within(before).getByRole("img", { name: "Sent" })).toBeTruthy();
  });

  it("that wait for their agent can be taken back", async () => {
    const waiting = own(1, "And then", { queued: true });
    know([waiting]);
    const { actions, asked } = recording();
    show(actions);
    expect(message("And then").textContent).toContain("Waits for Demo");
    await userEvent.click(screen.getByRole("button", { name: "Withdraw" }));
    expect(of(asked, "withdraw")).toEqual([["withdraw", waiting]]);
  });
});

describe("encrypted messages", () => {
  const sealed = said(1, "hQEMA", { kind: "encrypted" });

  it("show what this device can read, with a lock", () => {
    know([sealed], { plain: { m1: "A secret" } });
    show(recording().actions);
    expect(within(message("A secret")).getByRole("img", { name: "Encrypted" })).toBeTruthy();
    expect(screen.queryByText("hQEMA")).toBeNull();
  });

  it("show the files that they speak of, as they describe them, and no other of their row", () => {
    const stored = (id: string) => ({ attachment_id: id, filename: "encrypted", content_type: "application/octet-stream", size: 99, url: "", created_at: "" });
    const plan = { ...stored("a1"), filename: "plan.txt", content_type: "text/plain", size: 5, key: "k", mediaType: "text/plain" };
    const lost = { ...stored("a3"), filename: "lost.txt", key: "k", mediaType: "text/plain", isMissing: true } as const;
    const withFiles = said(1, "hQEMA", { kind: "encrypted", attachments: [stored("a1"), stored("a2")] });
    know([withFiles], { plain: { m1: "Two of them" }, sealedFiles: { m1: [plan, lost] } });
    show(recording().actions);
    expect(screen.getAllByRole("group").map((each) => each.getAttribute("aria-label")).filter((name) => name?.includes(".txt"))).toEqual(["plan.txt", "lost.txt"]);
    expect(screen.queryByText(/encrypted file/i)).toBeNull();
    expect(screen.getByText("5 bytes")).toBeTruthy();
    expect(screen.getByText("The server does not have this file")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Download lost.txt" })).toBeNull();
  });

  it("say it when it cannot", () => {
    know([sealed], { plain: { m1: null } });
    show(recording().actions);
    expect(screen.getByText("This device cannot read this message")).toBeTruthy();
  });
});

describe("answers", () => {
  it("stay the same element from the first word to the last", () => {
    know([own(1, "A poem please")]);
    show(recording().actions);
    const part = { part: 0, kind: "text", meta: {}, text: "Roses", length: 5 };
    const run = { run_id: "r1", conversation_id: ID, agent_id: "demo", reply_to: undefined, started_at: "2026-11-25T12:00:00Z", rev: 1, parts: [part] };
    act(() => {
      live.set(run);
      chat.setState({ runs: { [ID]: ["r1"] } });
    });
    const before = message("Roses");
    expect(before.getAttribute("aria-busy")).toBe("true");
    act(() => {
      live.delete("r1");
      chat.setState({ runs: {} });
      change({ messages: [own(1, "A poem please"), answered(2, "Roses are red", "r1")] });
    });
    expect(message("Roses are red")).toBe(before);
    expect(before.getAttribute("aria-busy")).toBe("false");
  });
});

describe("what was changed", () => {
  it("shows on demand what was there before", async () => {
    know([own(1, "Hello everybody", { edited_at: "2026-11-25T12:10:00Z" })]);
    const call = vi.fn(() => Promise.resolve({ edits: [{ content: "Hello world", at: "2026-11-25T12:10:00Z" }] }));
    show(recording({ rest: { call } }).actions);
    await userEvent.click(screen.getByRole("button", { name: /^Edited/ }));
    expect(await screen.findByText("Hello world")).toBeTruthy();
    expect(call.mock.calls).toEqual([["GET", "/messages/m1/edits"]]);
  });
});

describe("quotes", () => {
  it("show what is answered, and lead to it", async () => {
    know([said(1, "What *is* it?"), said(2, "Hello?"), own(3, "A parser", { reply_to: "m1" })]);
    show(recording().actions);
    await userEvent.click(within(message("A parser")).getByRole("button", { name: "Demo What is it?" }));
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset["row"]).toBe("m:m1"));
  });
});

describe("quotes of what is far away", () => {
  it("are asked for, and again when there is a connection", async () => {
    know([own(3, "A parser", { reply_to: "m1" })], { link: { kind: "offline", reason: "closed", retryAt: 0 } });
    const { actions, asked } = recording();
    show(actions);
    expect(within(message("A parser")).getByRole("button", { name: "An earlier message" })).toBeTruthy();
    expect(of(asked, "loadQuoted")).toEqual([["loadQuoted", "m1"]]);
    act(() => chat.setState({ link: { kind: "online" } }));
    expect(of(asked, "loadQuoted")).toHaveLength(2);
    act(() => chat.setState({ quoted: { m1: said(1, "What *is* it?") } }));
    expect(within(message("A parser")).getByRole("button", { name: "Demo What is it?" })).toBeTruthy();
  });
});

it("a message that cannot be drawn takes no other one down, and says its words all the same", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const broken = answered(2, "These are my words", "r1");
  know([said(1, "Before"), { ...broken, run: { ...broken.run!, parts: [null as never] } }, said(3, "After")]);
  show(recording().actions);
  expect([message("Before"), message("After")]).toHaveLength(2);
  expect(within(message("These are my words")).getByText(/cannot be shown/)).toBeTruthy();
});

describe("reactions", () => {
  const by = (emoji: string, kind: "user" | "agent"): Reaction => ({
    emoji,
    account_kind: kind,
    account_id: kind === "user" ? SELF : "demo",
  });

  it("are counted, say whose they are, and show which are one's own", () => {
    know([said(1, "Done", { reactions: [by("🎉", "agent"), by("🎉", "user"), by("👍", "agent")] })]);
    show(recording().actions);
    const [party, thumb] = within(message("Done")).getByRole("group", { name: "Reactions" }).querySelectorAll("button");
    expect([party!.getAttribute("aria-label"), party!.getAttribute("aria-pressed"), party!.textContent]).toEqual(["🎉 2: Demo and you", "true", "🎉 2"]);
    expect([thumb!.getAttribute("aria-label"), thumb!.getAttribute("aria-pressed")]).toEqual(["👍 1: Demo", "false"]);
  });

  it("are given and taken back by a click", async () => {
    const done = said(1, "Done", { reactions: [by("🎉", "user"), by("👍", "agent")] });
    know([done]);
    const { actions, asked } = recording();
    show(actions);
    await userEvent.click(screen.getByRole("button", { name: "🎉 1: you" }));
    await userEvent.click(screen.getByRole("button", { name: "👍 1: Demo" }));
    expect(of(asked, "react")).toEqual([["react", done, "🎉", false], ["react", done, "👍", true]]);
  });
});

describe("the menu of a message", () => {
  async function menuOf(text: string) {
    await userEvent.pointer({ keys: "[MouseRight]", target: screen.getByText(text) });
    return screen.findByRole("menu");
  }

  function itemsOf(menu: HTMLElement): string[] {
    return within(menu).getAllByRole("menuitem").map((item) => item.textContent || item.getAttribute("aria-label")!);
  }

  it("offers what can be done with it", async () => {
    know([said(1, "Theirs"), own(2, "Mine"), own(3, "hQEMA", { kind: "encrypted" }), own(4, "Waiting", { queued: true })], { plain: { m3: "Secret" } });
    show(recording().actions);
    expect(itemsOf(await menuOf("Theirs"))).toEqual(["More emoji", "Reply", "Copy text", "Copy link", "Details", "Delete"]);
    await userEvent.keyboard("{Escape}");
    expect(itemsOf(await menuOf("Mine"))).toContain("Edit");
    await userEvent.keyboard("{Escape}");
    expect(itemsOf(await menuOf("Secret"))).not.toContain("Edit");
    await userEvent.keyboard("{Escape}");
    expect(itemsOf(await menuOf("Waiting"))).toContain("Withdraw");
  });

  it("asks again, at the question and at its answer, in an encrypted chat with what was sealed", async () => {
    know([own(1, "hQEMA", { kind: "encrypted" }), answered(2, "It is open", "r1", { reply_to: "m1" }), said(3, "By the way")], { plain: { m1: "Is it open?" } });
    const { actions, asked } = recording();
    show(actions);
    await userEvent.click(within(await menuOf("It is open")).getByRole("menuitem", { name: "Ask again" }));
    await userEvent.click(within(await menuOf("Is it open?")).getByRole("menuitem", { name: "Ask again" }));
    expect(of(asked, "send")).toEqual([["send", ID, "Is it open?"], ["send", ID, "Is it open?"]]);
    expect(itemsOf(await menuOf("By the way"))).not.toContain("Ask again");
  });

  it("offers no edit in an encrypted chat, where the new text would go in the clear", async () => {
    know([own(2, "Mine")], { secrecy: { [ID]: { kind: "on", safetyNumber: "1", verified: true } } });
    show(recording().actions);
    expect(itemsOf(await menuOf("Mine"))).not.toContain("Edit");
  });

  it("closes when its message is deleted elsewhere, and stays when another one is", async () => {
    know([said(1, "Theirs"), said(2, "Other")]);
    show(recording().actions);
    await menuOf("Theirs");
    act(() => change({ messages: [said(1, "Theirs"), said(2, "", { deleted: true })] }));
    expect(screen.getByRole("menu")).toBeDefined();
    act(() => change({ messages: [said(1, "", { deleted: true }), said(2, "", { deleted: true })] }));
    expect(screen.queryByRole("menu")).toBeNull();
  });

  it("reacts by one of the emoji at its head", async () => {
    const done: Message = said(1, "Done");
    know([done]);
    const { actions, asked } = recording();
    show(actions);
    await userEvent.click(within(await menuOf("Done")).getByRole("menuitemcheckbox", { name: "React with 🎉" }));
    expect(of(asked, "react")).toEqual([["react", done, "🎉", true]]);
    expect(screen.queryByRole("menu")).toBeNull();
    expect(document.activeElement).toBe(message("Done"));
  });

  it("copies what is said, and where it is", async () => {
    know([said(1, "Words to keep")]);
    show(recording().actions);
    const user = userEvent.setup();
    const write = vi.spyOn(navigator.clipboard, "writeText");
    await user.pointer({ keys: "[MouseRight]", target: screen.getByText("Words to keep") });
    await user.click(await screen.findByRole("menuitem", { name: "Copy text" }));
    await user.pointer({ keys: "[MouseRight]", target: screen.getByText("Words to keep") });
    await user.click(await screen.findByRole("menuitem", { name: "Copy link" }));
    expect(write.mock.calls).toEqual([["Words to keep"], [`${location.origin}/c/c1?m=m1`]]);
  });

  it("copies over plain HTTP, too, where browsers have no clipboard", async () => {
    know([said(1, "Words to keep")]);
    show(recording().actions);
    const user = userEvent.setup();
    vi.spyOn(navigator, "clipboard", "get").mockReturnValue(undefined as unknown as Clipboard);
    let copied = "";
    document.execCommand = () => {
      copied = (document.activeElement as HTMLTextAreaElement).value;
      return true;
    };
    await user.pointer({ keys: "[MouseRight]", target: screen.getByText("Words to keep") });
    await user.click(await screen.findByRole("menuitem", { name: "Copy text" }));
    await waitFor(() => expect(copied).toBe("Words to keep"));
    expect(screen.queryByText("The browser did not let it be copied")).toBeNull();
  });

  it("deletes after asking; the message is gone at once and Undo brings it back", async () => {
    know([own(1, "Oh no")]);
    const { actions, asked } = recording();
    show(actions);
    const row = message("Oh no");
    await userEvent.click(within(await menuOf("Oh no")).getByRole("menuitem", { name: "Delete" }));
    await userEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Delete" }));
    expect(screen.queryByText("Oh no")).toBeNull();
    expect(row.textContent).toContain("This message was deleted");
    expect(document.activeElement).toBe(row);
    await userEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect(message("Oh no")).toBe(row);
    expect(of(asked, "remove")).toEqual([]);
  });
});

describe("a finger", () => {
  it("that stays opens the menu, one that moves does not", async () => {
    know([said(1, "Hold me")]);
    show(recording().actions);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const target = screen.getByText("Hold me");
    const touch = (type: string, clientY: number): void => {
      act(() => void target.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerType: "touch", isPrimary: true, clientX: 5, clientY })));
    };
    touch("pointerdown", 5);
    touch("pointermove", 60);
    act(() => vi.advanceTimersByTime(600));
    expect(message("Hold me").querySelector("[aria-expanded=true]")).toBeNull();
    touch("pointerdown", 5);
    act(() => vi.advanceTimersByTime(600));
    expect(message("Hold me").querySelector("[aria-expanded=true]")).not.toBeNull();
    touch("pointerup", 5);
    expect(message("Hold me").querySelector("[aria-expanded=true]")).not.toBeNull();
    // The next one is beside the menu, though on its message.
    touch("pointerdown", 5);
    expect(message("Hold me").querySelector("[aria-expanded=true]")).toBeNull();
  });
});
