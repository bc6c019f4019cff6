import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { AgentInfo } from "@amtrio/client";
import { chat, type Secrecy } from "../../src/engine/state.ts";
import { change, changeConversation, conversation, ID, know, of, recording, said, show } from "./scene.tsx";

beforeAll(() => Promise.all([import("../../src/conversation/conversation-menu.tsx"), import("../../src/conversation/dialogs/conversation-dialog.tsx")]));

function agent(over: Partial<AgentInfo>): void {
  act(() => chat.setState({ agents: { demo: { agent_id: "demo", name: "Demo", ...over } } }));
}

function header(): HTMLElement {
  return screen.getByRole("region").querySelector("header")!;
}

describe("the header", () => {
  it("names the agent, or the title and then the agent", () => {
    know([]);
    show(recording().actions);
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Demo");
    act(() => changeConversation({ title: "Holiday plans" }));
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Holiday plans");
    expect(header().textContent).toContain("Demo · online");
  });

  it("says how things stand with the agent", () => {
    know([]);
    show(recording().actions);
    agent({ online: true, status: "busy", status_text: "reading 40 files" });
    expect(header().textContent).toContain("busy: reading 40 files");
    agent({ online: true, status: "idle" });
    expect(header().textContent).toContain("away");
    agent({ online: false, last_seen: new Date(Date.now() - 5 * 60_000).toISOString() });
    expect(header().textContent).toContain("last seen 5 min. ago");
    agent({ online: false, last_seen: null });
    expect(header().textContent).toContain("offline");
  });

  it("says nothing of the agent that nobody can know without a connection", () => {
    know([], { typing: { [ID]: Date.now() + 10_000 }, link: { kind: "offline", reason: "", retryAt: 0 } });
    show(recording().actions);
    expect(header().textContent).not.toMatch(/online|writing/);
    expect(header().querySelector("[data-status]")).toBeNull();
    act(() => chat.setState({ link: { kind: "online" } }));
    expect(header().textContent).toContain("is writing …");
    expect(header().querySelector("[data-status]")).not.toBeNull();
  });

  it("says that the agent writes until it stops doing so", () => {
    vi.useFakeTimers();
    know([], { typing: { [ID]: Date.now() + 10_000 } });
    show(recording().actions);
    expect(header().textContent).toContain("is writing …");
    act(() => vi.advanceTimersByTime(10_100));
    expect(header().textContent).not.toContain("is writing …");
    vi.useRealTimers();
  });

  it("says that it is one's turn while the answer waits for it", () => {
    const question = { options: [], multiple: false, free_text: true, state: "open" };
    know([said(1, "Really?", { question })], { runs: { [ID]: ["r1"] } });
    show(recording().actions);
    expect(header().textContent).toContain("asks you something");
    act(() => change({ messages: [said(1, "Really?", { question: { ...question, state: "answered" } })] }));
    expect(header().textContent).toContain("is writing …");
  });

  it("is no live region: nobody wants to hear of each word", () => {
    know([], { typing: { [ID]: Date.now() + 10_000 } });
    show(recording().actions);
    expect(header().querySelector("[aria-live], [role=status], [role=alert]")).toBeNull();
  });
});

describe("the lock", () => {
  const NUMBER = "0123456789".repeat(6);

  function secrecy(kind: Secrecy): void {
    act(() => chat.setState({ secrecy: { [ID]: kind } }));
  }

  it("says how things stand with encryption", () => {
    know([]);
    show(recording().actions);
    expect(screen.queryByRole("button", { name: /ncrypt/ })).toBeNull();
    secrecy({ kind: "on", verified: false, safetyNumber: NUMBER });
    expect(screen.getByRole("button", { name: /^Encrypted\. Demo has not been verified/ })).toBeTruthy();
    secrecy({ kind: "on", verified: true, safetyNumber: NUMBER });
    expect(screen.getByRole("button", { name: "Encrypted and verified" })).toBeTruthy();
    secrecy({ kind: "changed", safetyNumber: NUMBER });
    expect(screen.getByRole("alert").textContent).toContain("Demo has a different key than before");
  });

  it("leads to the number, which a person compares", async () => {
    know([], { secrecy: { [ID]: { kind: "changed", safetyNumber: NUMBER } } });
    const { actions, asked } = recording();
    show(actions);
    await userEvent.click(screen.getByRole("button", { name: "Have a look" }));
    const dialog = await screen.findByRole("dialog", { name: "End-to-end encryption" });
    const digits = within(dialog).getByRole("group", { name: "Safety number" });
    expect(digits.textContent).toContain("01234 56789 01234");
    const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    await userEvent.click(within(digits).getByRole("button", { name: "Copy" }));
    expect(write).toHaveBeenCalledExactlyOnceWith("01234 56789 ".repeat(6).trim());
    await userEvent.click(within(dialog).getByRole("button", { name: "The numbers are the same" }));
    expect(of(asked, "markVerified")).toEqual([["markVerified", ID]]);
  });
});

describe("the options", () => {
  async function choose(name: string | RegExp) {
    await userEvent.click(screen.getByRole("button", { name: "Options of this chat" }));
    await userEvent.click(within(await screen.findByRole("menu")).getByRole("menuitem", { name }));
  }

  it("pin and archive, and undo it", async () => {
    know([]);
    const { actions, asked } = recording();
    show(actions);
    await choose("Pin");
    await choose("Archive");
    act(() => changeConversation({ pinned: true, archived: true }));
    await choose("Unpin");
    await choose("Take out of the archive");
    expect(asked.slice(1)).toEqual([["pin", ID, true], ["archive", ID, true], ["pin", ID, false], ["archive", ID, false]]);
  });

  it("say that it is archived, with a way back", async () => {
    know([]);
    const { actions, asked } = recording();
    show(actions);
    await choose("Archive");
    expect((await screen.findAllByText("Archived")).length).toBeGreaterThan(0);
    await userEvent.click(screen.getAllByRole("button", { name: "Undo" }).at(-1)!);
    expect(of(asked, "archive")).toEqual([["archive", ID, true], ["archive", ID, false]]);
  });

  it("mute for a while or for ever, and unmute", async () => {
    know([]);
    const { actions, asked } = recording();
    show(actions);
    await choose("Mute …");
    await userEvent.click(await screen.findByRole("button", { name: "Until I turn it on again" }));
    expect(screen.queryByRole("dialog")).toBeNull();
    act(() => changeConversation({ muted_until: "9999-12-31T23:59:59.999Z" }));
    expect(within(header()).getByRole("img", { name: "Muted" })).toBeTruthy();
    await choose("Unmute");
    expect(of(asked, "mute")).toEqual([["mute", ID, "9999-12-31T23:59:59.999Z"], ["mute", ID, null]]);
  });

  it("rename, and take the title away", async () => {
    know([], { conversations: { [ID]: conversation({ title: "Old" }) } });
    const { actions, asked } = recording();
    show(actions);
    await choose("Rename …");
    const title = await screen.findByRole("textbox", { name: "Title" });
    expect(document.activeElement).toBe(title);
    await userEvent.clear(title);
    await userEvent.keyboard("New{Enter}");
    await choose("Rename …");
    await userEvent.clear(await screen.findByRole("textbox", { name: "Title" }));
    await userEvent.keyboard("{Enter}");
    expect(of(asked, "rename")).toEqual([["rename", ID, "New"], ["rename", ID, null]]);
  });

  it("offer no way to take the title away where there must be one", async () => {
    know([], { conversations: { [ID]: conversation({ title: "Old", is_default: false }) } });
    show(recording().actions);
    await choose("Rename …");
    await userEvent.clear(await screen.findByRole("textbox", { name: "Title" }));
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Save" }).disabled).toBe(true);
    expect(screen.queryByText(/Left empty/)).toBeNull();
  });

  it("say why it did not work, and keep what was written", async () => {
    know([]);
    show(recording({ rename: () => Promise.reject(new Error("Not now.")) }).actions);
    await choose("Rename …");
    await userEvent.type(await screen.findByRole("textbox", { name: "Title" }), "New{Enter}");
    expect(await screen.findByText("Not now.")).toBeTruthy();
    expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Title" }).value).toBe("New");
  });

  it("begin another conversation and lead to it", async () => {
    know([]);
    const { actions, asked } = recording({ openConversation: "c2" });
    show(actions);
    await choose("New chat with Demo …");
    await userEvent.type(await screen.findByRole("textbox", { name: "Title" }), "Holiday plans{Enter}");
    expect(of(asked, "openConversation")).toEqual([["openConversation", "demo", "Holiday plans"]]);
    expect(location.pathname).toBe("/c/c2");
  });

  it("tag, suggest what is used elsewhere, and untag", async () => {
    know([], { conversations: { [ID]: conversation({ tags: ["work"] }) } });
    const call = vi.fn(() => Promise.resolve([{ tag: "work", count: 3 }, { tag: "travel", count: 1 }]));
    const { actions, asked } = recording({ rest: { call } });
    show(actions);
    await choose("Tags …");
    await userEvent.type(await screen.findByRole("textbox", { name: "Add a tag" }), "family{Enter}");
    await userEvent.click(await screen.findByRole("button", { name: "travel 1" }));
    await userEvent.click(screen.getByRole("button", { name: "Remove the tag work" }));
    expect(of(asked, "tag")).toEqual([["tag", ID, "family", true], ["tag", ID, "travel", true], ["tag", ID, "work", false]]);
  });

  it("delete the conversation for both sides, after asking, and leave it", async () => {
    know([]);
    const { actions, asked } = recording();
    show(actions);
    await choose("Delete chat …");
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain("both sides");
    expect(of(asked, "deleteConversation")).toEqual([]);
    await userEvent.click(within(dialog).getByRole("button", { name: "Delete for both sides" }));
    expect(of(asked, "deleteConversation")).toEqual([["deleteConversation", ID]]);
    expect(location.pathname).toBe("/");
  });

  it("show all files, page by page", async () => {
    know([]);
    const file = (n: number) => ({ attachment_id: `a${n}`, filename: `file-${n}.txt`, content_type: "text/plain", size: 10, url: "/", created_at: "2026-11-25T12:00:00Z", width: null });
    const pages = [Array.from({ length: 50 }, (_, n) => file(n)), [file(50)]];
    const call = vi.fn(() => Promise.resolve(pages.shift()));
    // One of them came with an encrypted message.
    const described = (files: { filename: string }[]) => files.map((each) => (each.filename === "file-3.txt" ? { ...each, filename: "plan.txt" } : each));
    show(recording({ rest: { call }, fileUrl: "blob:x", describe: described }).actions);
    await choose("Files …");
    expect(await screen.findByText("plan.txt")).toBeTruthy();
    await userEvent.click(await screen.findByRole("button", { name: "Show more" }));
    expect(await screen.findByText("file-50.txt")).toBeTruthy();
    expect(call.mock.calls).toEqual([
      ["GET", "/conversations/c1/attachments", { query: { before: undefined, limit: 50 } }],
      ["GET", "/conversations/c1/attachments", { query: { before: "a49", limit: 50 } }],
    ]);
  });

  it("show who the agent says it is", async () => {
    know([]);
    show(recording().actions);
    agent({ description: "Reads code.", model: "big-1", supports: ["stop"], commands: [{ name: "fix", arguments: "FILE", description: "Mend it" }] });
    await choose("About Demo");
    const dialog = await screen.findByRole("dialog", { name: "About Demo" });
    for (const fact of ["Reads code.", "big-1", "being stopped", "/fix FILE", "Mend it"]) expect(dialog.textContent).toContain(fact);
  });
});
