import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { chat, type ChatState } from "../../src/engine/state.ts";
import { live } from "../../src/engine/live.ts";
import { choose } from "../../src/i18n/language.ts";
import { useIntent } from "../../src/conversation/intent.ts";
import { ConversationView } from "../../src/conversation/conversation-view.tsx";
import { pretendLayout, ROW_PX, VIEWPORT_PX } from "./layout.ts";
import { answered, change, changeConversation, conversation, ID, know, of, outgoing, own, recording, said, show, timeline } from "./scene.tsx";

const layout = pretendLayout();
// They come later in a browser; here nobody waits for them.
beforeAll(() => Promise.all([import("../../src/conversation/message-menu.tsx"), import("../../src/conversation/dialogs/conversation-dialog.tsx")]));

function many(count: number) {
  return Array.from({ length: count }, (_, index) => (index % 3 === 0 ? own(index + 1, `Mine ${index + 1}`) : said(index + 1, `Words ${index + 1}`)));
}

function log(): HTMLElement {
  return screen.getByRole("log");
}

/** Frames are drawn until nothing moves any more. */
async function settled(): Promise<void> {
  await act(async () => {
    for (let frame = 0; frame < 12; frame++) await new Promise(requestAnimationFrame);
  });
}

/** As a person does; the browser tells of it. */
async function scrollTo(top: number): Promise<void> {
  await settled();
  act(() => {
    log().scrollTop = top;
    fireEvent.scroll(log());
  });
  await settled();
}

/** What stands at the upper edge. */
function atTop(): string | null {
  const places = [...log().querySelectorAll<HTMLElement>("[data-index]")];
  return places.findLast((place) => Number.parseFloat(place.style.top) <= log().scrollTop)!.textContent;
}

describe("thousands of messages", () => {
  it("are drawn only where the screen is", () => {
    know(many(10_000));
    show(recording().actions);
    expect(screen.getAllByRole("article").length).toBeLessThan(40);
  });

  it("are opened at their end", () => {
    know(many(1000));
    show(recording().actions);
    expect(screen.getByText("Mine 1000")).toBeTruthy();
  });
});

describe("for those who listen", () => {
  it("each message is an article with a sender and a time", () => {
    know([said(1, "Hello"), own(2, "Hi")]);
    show(recording().actions);
    const names = screen.getAllByRole("article").map((each) => each.getAttribute("aria-label"));
    expect(names[0]).toMatch(/^Demo, \d\d:01/);
    expect(names[1]).toMatch(/^You, \d\d:02/);
  });

  it("the log itself is silent", () => {
    know([said(1, "Hello")]);
    show(recording().actions);
    expect(log().getAttribute("aria-live")).toBe("off");
  });

  it("a finished answer is said once, cut short, and nothing before it", async () => {
    know([own(1, "Write something long")]);
    const { container } = show(recording().actions);
    const announcer = container.querySelector("[aria-live=polite]")!;
    act(() => {
      live.set({ run_id: "r1", conversation_id: ID, agent_id: "demo", reply_to: undefined, started_at: "2026-11-25T12:00:00Z", rev: 1, parts: [] });
      chat.setState({ runs: { [ID]: ["r1"] } });
    });
    expect(announcer.textContent).toBe("");
    const text = "**word** ".repeat(100);
    act(() => {
      chat.setState({ runs: {} });
      change({ messages: [own(1, "Write something long"), answered(2, text, "r1")] });
    });
    expect(announcer.textContent).toMatch(/^Demo: word word .*…$/);
    expect(announcer.textContent!.length).toBeLessThanOrEqual("Demo: ".length + 200);
  });

  it("an answer in the words of the one before is said as well", () => {
    know([said(1, "Old")]);
    const { container } = show(recording().actions);
    const announcer = container.querySelector("[aria-live=polite]")!;
    act(() => change({ messages: [said(1, "Old"), said(2, "Done.")] }));
    const first = announcer.firstChild;
    act(() => change({ messages: [said(1, "Old"), said(2, "Done."), said(3, "Done.")] }));
    expect(announcer.textContent).toBe("Demo: Done.");
    expect(announcer.firstChild).not.toBe(first);
  });

  it("what was said and then deleted is not left to be read, and what stood before it is not said again", () => {
    know([said(1, "Old")]);
    const { container } = show(recording().actions);
    const announcer = container.querySelector("[aria-live=polite]")!;
    act(() => change({ messages: [said(1, "Old"), said(2, "Too much")] }));
    expect(announcer.textContent).toBe("Demo: Too much");
    act(() => change({ messages: [said(1, "Old"), said(2, "", { deleted: true })] }));
    expect(announcer.textContent).toBe("");
    act(() => change({ messages: [said(1, "", { deleted: true }), said(2, "", { deleted: true })] }));
    act(() => change({ messages: [said(1, "", { deleted: true }), said(2, "", { deleted: true }), said(3, "Enough")] }));
    expect(announcer.textContent).toBe("Demo: Enough");
    act(() => change({ messages: [1, 2, 3].map((seq) => said(seq, "", { deleted: true })) }));
    expect(announcer.textContent).toBe("");
  });

  it("what is encrypted is said once it is deciphered, and what consists of files by their number", () => {
    know([said(1, "Old")]);
    const { container } = show(recording().actions);
    const announcer = container.querySelector("[aria-live=polite]")!;
    const sealed = [2, 3].map((seq) => said(seq, "hQEMA", { kind: "encrypted" }));
    act(() => change({ messages: [said(1, "Old"), sealed[0]!] }));
    expect(announcer.textContent).toBe("");
    act(() => chat.setState({ plain: { m2: "The secret" } }));
    expect(announcer.textContent).toBe("Demo: The secret");
    act(() => change({ messages: [said(1, "Old"), ...sealed] }));
    act(() => chat.setState(({ plain }) => ({ plain: { ...plain, m3: null } })));
    expect(announcer.textContent).toBe("Demo: This device cannot read this message");
    const file = { attachment_id: "a1", filename: "plan.pdf", content_type: "application/pdf", size: 10 };
    act(() => change({ messages: [said(1, "Old"), ...sealed, said(4, "", { attachments: [file] } as object)] }));
    expect(announcer.textContent).toBe("Demo: 1 file");
  });

  it("what was there before is not said", () => {
    know([said(1, "Old")]);
    const { container } = show(recording().actions);
    act(() => change({ messages: [said(0, "Older"), said(1, "Old")] }));
    expect(container.querySelector("[aria-live=polite]")!.textContent).toBe("");
  });
});

it("Days are called what they are at that moment, after midnight and in another language", () => {
  vi.useFakeTimers({ now: new Date(2026, 10, 25, 23, 50) });
  know([said(1, "Hello")]);
  show(recording().actions);
  const day = screen.getByRole("separator");
  expect(day.getAttribute("aria-label")).toBe("Today");
  act(() => vi.advanceTimersByTime(11 * 60_000));
  expect(day.getAttribute("aria-label")).toBe("Yesterday");
  act(() => choose("de"));
  expect(day.getAttribute("aria-label")).toBe("Gestern");
  act(() => choose("en"));
  vi.useRealTimers();
});

describe("by keyboard", () => {
  async function standOnLast() {
    know(many(30));
    const { actions, asked } = recording();
    show(actions, <><ConversationView conversationId={ID} /><IntentShown /></>);
    const last = screen.getByText("Words 30").closest("article")!;
    act(() => last.focus());
    return { asked, last };
  }

  it("Tab leads to one message, the newest", () => {
    know(many(30));
    show(recording().actions);
    const stops = screen.getAllByRole("article").filter((each) => each.tabIndex === 0);
    expect(stops.map((each) => within(each).queryByText("Words 30") !== null)).toEqual([true]);
  });

  it("arrows walk from message to message", async () => {
    await standOnLast();
    await userEvent.keyboard("{ArrowUp}{ArrowUp}");
    expect(document.activeElement!.textContent).toContain("Mine 28");
    await userEvent.keyboard("{ArrowDown}");
    expect(document.activeElement!.textContent).toContain("Words 29");
  });

  it("letters begin to answer and to change it", async () => {
    await standOnLast();
    await userEvent.keyboard("r");
    expect(screen.getByTestId("intent").textContent).toBe("reply m30");
    await userEvent.keyboard("{ArrowUp}{ArrowUp}e");
    expect(screen.getByTestId("intent").textContent).toBe("edit m28");
  });

  it("what the other side said cannot be changed", async () => {
    await standOnLast();
    await userEvent.keyboard("re");
    expect(screen.getByTestId("intent").textContent).toBe("reply m30");
  });

  it("Delete asks first", async () => {
    const { asked } = await standOnLast();
    await userEvent.keyboard("{Delete}");
    expect(await screen.findByRole("dialog", { name: "Delete this message?" })).toBeTruthy();
    expect(of(asked, "remove")).toEqual([]);
  });

  it("the key of the menu opens it, and Escape brings the focus back", async () => {
    const { last } = await standOnLast();
    await userEvent.keyboard("{Shift>}{F10}{/Shift}");
    const menu = await screen.findByRole("menu");
    await waitFor(() => expect(menu.contains(document.activeElement)).toBe(true));
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
    expect(document.activeElement).toBe(last);
  });
});

describe("staying at the end", () => {
  it("what comes is followed by whoever is there", () => {
    const messages = many(30);
    know(messages);
    show(recording().actions);
    act(() => change({ messages: [...messages, said(31, "Newest")] }));
    expect(log().scrollTop + VIEWPORT_PX).toBeGreaterThanOrEqual(log().scrollHeight);
  });

  it("whoever has scrolled up stays there, and is shown the way back", async () => {
    const messages = many(60);
    know(messages);
    show(recording().actions);
    await scrollTo(10 * ROW_PX);
    const before = atTop();
    act(() => {
      change({ messages: [...messages, said(61, "Newest")] });
      changeConversation({ unread: 1 });
    });
    await settled();
    expect(atTop()).toBe(before);
    expect(screen.getByRole("button", { name: /1 new message/ })).toBeTruthy();
  });

  it("whoever has scrolled up a little is shown the way back once the answer has grown by a screen", async () => {
    know(many(11));
    show(recording().actions);
    await scrollTo(0);
    const places = log().querySelectorAll<HTMLElement>("[data-index]");
    expect(screen.queryByRole("button", { name: "Jump to latest" })).toBeNull();
    await layout.grow(places[places.length - 1]!, 1300);
    await settled();
    expect(log().scrollTop).toBe(0);
    expect(screen.getByRole("button", { name: "Jump to latest" })).toBeTruthy();
  });

  it("the way back leads to the newest message, which has the focus", async () => {
    know(many(60));
    show(recording().actions);
    await scrollTo(0);
    await userEvent.click(screen.getByRole("button", { name: "Jump to latest" }));
    await waitFor(() => expect(document.activeElement!.textContent).toContain("Words 60"));
    expect(log().scrollTop + VIEWPORT_PX).toBeGreaterThanOrEqual(log().scrollHeight);
  });

  it("from the past, the way back fetches the newest messages first", async () => {
    know(many(60), { timelines: { [ID]: timeline(many(60), { hasNewer: true }) } });
    const { actions, asked } = recording();
    show(actions);
    await userEvent.click(screen.getByRole("button", { name: "Jump to latest" }));
    expect(of(asked, "loadLatest")).toEqual([["loadLatest", ID]]);
  });

  it("whoever says something is taken to it", async () => {
    know(many(60));
    show(recording().actions);
    await scrollTo(0);
    act(() => chat.setState({ outgoing: { [ID]: [outgoing("k99", "Here I am")] } }));
    expect(log().scrollTop + VIEWPORT_PX).toBeGreaterThanOrEqual(log().scrollHeight);
  });
});

describe("older messages", () => {
  it("are fetched before one gets to the top", async () => {
    know([], { timelines: { [ID]: timeline(many(60), { hasOlder: true }) } });
    const { actions, asked } = recording();
    show(actions);
    await settled();
    expect(of(asked, "loadOlder")).toEqual([]);
    await scrollTo(0);
    expect(of(asked, "loadOlder")[0]).toEqual(["loadOlder", ID]);
  });

  it("without a connection do not come, which is said in words for people", () => {
    know(many(5), { link: { kind: "offline", retryAt: 0 } as ChatState["link"] });
    change({ hasOlder: true, error: "GET /conversations/c1/messages: Failed to fetch" });
    show(recording().actions);
    expect(screen.getByRole("alert").textContent).toContain("Messages could not be loaded. The server does not answer.");
  });

  it("show that they are on their way, and why they are not", () => {
    know([], { timelines: { [ID]: timeline(many(60), { hasOlder: true, loading: "older" }) } });
    show(recording().actions);
    expect(screen.getByText("Loading older messages").closest("[role=status]")).not.toBeNull();
    act(() => change({ loading: null, error: "No connection." }));
    expect(screen.getByRole("alert").textContent).toContain("No connection.");
  });
});

describe("what is new", () => {
  it("begins below a line, which stays when it has been read", async () => {
    const messages = many(60);
    know(messages, { conversations: { [ID]: conversation({ unread: 20, readUpTo: 30 }) } });
    show(recording().actions);
    await settled();
    act(() => changeConversation({ unread: 0, readUpTo: 60 }));
    const line = screen.getByRole("separator", { name: "New messages" });
    expect(within(line.parentElement!).getByText("Words 32")).toBeTruthy();
  });

  it("is looked for further back", () => {
    const { actions, asked } = recording();
    know([], {
      conversations: { [ID]: conversation({ unread: 50, readUpTo: 10 }) },
      timelines: { [ID]: timeline(many(60).slice(40), { hasOlder: true }) },
    });
    show(actions);
    expect(of(asked, "loadOlder").length).toBeGreaterThan(0);
  });

  it("is told to the server once somebody has seen it", async () => {
    vi.useFakeTimers();
    vi.spyOn(document, "hasFocus").mockReturnValue(true);
    know([said(1, "Old"), said(2, "New")], { conversations: { [ID]: conversation({ unread: 1, readUpTo: 1 }) } });
    const { actions, asked } = recording();
    show(actions);
    act(() => vi.advanceTimersByTime(1000));
    expect(of(asked, "markRead")).toEqual([["markRead", ID, 2]]);
  });

  it("is not told to the server while the window is behind another", () => {
    vi.useFakeTimers();
    const hasFocus = vi.spyOn(document, "hasFocus").mockReturnValue(false);
    know([said(1, "New")], { conversations: { [ID]: conversation({ unread: 1 }) } });
    const { actions, asked } = recording();
    show(actions);
    act(() => vi.advanceTimersByTime(1000));
    expect(of(asked, "markRead")).toEqual([]);
    hasFocus.mockReturnValue(true);
    fireEvent.focus(window);
    act(() => vi.advanceTimersByTime(1000));
    expect(of(asked, "markRead")).toEqual([["markRead", ID, 1]]);
  });
});

describe("a link to a message", () => {
  it("leads to it, points at it and stands on it", async () => {
    know(many(500));
    show(recording().actions, <ConversationView conversationId={ID} messageId="m100" />);
    await waitFor(() => expect(document.activeElement!.textContent).toContain("Mine 100"));
    expect((document.activeElement as HTMLElement).dataset["flashing"]).toBe("true");
  });

  it("fetches what is around it", async () => {
    know(many(500).slice(300));
    const { actions, asked } = recording({ loadAround: async () => act(() => change({ messages: many(500).slice(50, 150), hasNewer: true })) });
    show(actions, <ConversationView conversationId={ID} messageId="m100" />);
    await waitFor(() => expect(document.activeElement!.textContent).toContain("Mine 100"));
    expect(of(asked, "loadAround")).toEqual([["loadAround", ID, "m100"]]);
  });

  it("keeps to it when older messages come before the list has come to rest", async () => {
    know(many(500).slice(60));
    change({ hasOlder: true });
    const loadOlder = (): void => {
      change({ loading: "older" });
      queueMicrotask(() => act(() => change({ messages: many(500), hasOlder: false, loading: null })));
    };
    const { actions, asked } = recording({ loadOlder });
    show(actions, <ConversationView conversationId={ID} messageId="m70" />);
    await settled();
    expect(of(asked, "loadOlder")).toHaveLength(1);
    const { top } = document.activeElement!.closest<HTMLElement>("[data-index]")!.style;
    expect(document.activeElement!.textContent).toContain("Mine 70");
    expect(Number.parseFloat(top)).toBeGreaterThan(log().scrollTop);
    expect(Number.parseFloat(top)).toBeLessThan(log().scrollTop + VIEWPORT_PX);
  });

  it("lets nothing older be fetched before it is there", async () => {
    know(many(500).slice(300));
    change({ hasOlder: true });
    let arrive = (): void => {};
    const { actions, asked } = recording({ loadAround: () => new Promise<void>((resolve) => (arrive = resolve)) });
    show(actions, <ConversationView conversationId={ID} messageId="m100" />);
    await settled();
    expect(of(asked, "loadAround")).toHaveLength(1);
    expect(of(asked, "loadOlder")).toEqual([]);
    await act(async () => {
      change({ messages: many(500).slice(0, 150), hasOlder: false, hasNewer: true });
      arrive();
    });
    await waitFor(() => expect(document.activeElement!.textContent).toContain("Mine 100"));
  });

  it("leads to where it was if it is deleted, and so are those after it", async () => {
    const gone = [100, 101, 102].map((seq) => said(seq, "", { deleted: true }));
    know([...many(500).slice(50, 99), ...gone, ...many(500).slice(102)]);
    change({ hasOlder: true });
    const { actions, asked } = recording();
    show(actions, <ConversationView conversationId={ID} messageId="m100" />);
    await settled();
    expect(document.activeElement!.textContent).toContain("3 deleted messages");
    await scrollTo(0);
    expect(of(asked, "loadOlder")).toHaveLength(1);
  });

  it("that is not there any more when somebody wished for something else meanwhile is given up", async () => {
    know(many(500).slice(300));
    change({ hasOlder: true });
    let arrive = (): void => {};
    const { actions, asked } = recording({ loadAround: () => new Promise<void>((resolve) => (arrive = resolve)) });
    show(actions, <ConversationView conversationId={ID} messageId="m100" />);
    await settled();
    await act(async () => arrive());
    await scrollTo(0);
    expect(of(asked, "loadOlder")).toHaveLength(1);
  });

  it("that leads nowhere says so", async () => {
    know(many(5));
    const { actions } = recording({ loadAround: () => Promise.reject(new Error("There is no such message.")) });
    show(actions, <ConversationView conversationId={ID} messageId="m999" />);
    expect(await screen.findByText("There is no such message.")).toBeTruthy();
  });
});

it("Coming back leads to where one was", async () => {
  know(many(200));
  const first = show(recording().actions);
  await scrollTo(100 * ROW_PX);
  const before = atTop();
  first.unmount();
  show(recording().actions);
  await settled();
  expect(before).toMatch(/\d/);
  expect(atTop()).toBe(before);
});

function IntentShown() {
  const intent = useIntent(ID);
  return <output data-testid="intent">{intent === undefined ? "" : `${intent.kind} ${intent.message.message_id}`}</output>;
}
