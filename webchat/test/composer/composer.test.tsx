import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Composer } from "../../src/composer/composer.tsx";
import { KEEP_AFTER_MS } from "../../src/composer/writing.ts";
import { chat } from "../../src/engine/state.ts";
import { HERE, show, stage, THERE, type Stage } from "./stage.tsx";

let scene: Stage;
beforeEach(() => {
  scene = stage();
});
afterEach(() => vi.useRealTimers());

const field = (): HTMLTextAreaElement => screen.getByRole("textbox");
const sent = (): unknown[] => scene.askedFor("send").map(([, content]) => content);

function onTouch(): void {
  vi.spyOn(globalThis, "matchMedia").mockReturnValue({ matches: true } as MediaQueryList);
}

describe("sending", () => {
  test("Enter sends what is written and empties the field and its draft", async () => {
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "Hello{Shift>}{Enter}{/Shift}there{Enter}");
    expect(sent()).toEqual(["Hello\nthere"]);
    expect(field().value).toBe("");
    expect(chat.getState().drafts[HERE]).toBe("");
  });

  test("Enter during a composition sends nothing", async () => {
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "にほ");
    fireEvent.keyDown(field(), { key: "Enter", isComposing: true });
    fireEvent.keyDown(field(), { key: "Enter", keyCode: 229 });
    expect(sent()).toEqual([]);
    expect(field().value).toBe("にほ");
  });

  test("on touch Enter breaks the line and the button sends", async () => {
    onTouch();
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "one{Enter}two");
    expect(field().value).toBe("one\ntwo");
    await userEvent.click(screen.getByRole("button", { name: "Send" }));
    expect(sent()).toEqual(["one\ntwo"]);
  });

  test("spaces alone are nothing to send, and empty lines around a text are left out", async () => {
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "  {Enter}");
    expect(sent()).toEqual([]);
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Send" }).disabled).toBe(true);
    fireEvent.change(field(), { target: { value: "\n\n    code\n\n" } });
    await userEvent.type(field(), "{Enter}");
    expect(sent()).toEqual(["    code"]);
  });

  test("it can be written and sent without a connection", async () => {
    chat.setState({ link: { kind: "offline", reason: "no network", retryAt: 0 } });
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "later{Enter}");
    expect(sent()).toEqual(["later"]);
  });

  test("every keystroke says that one is writing, an emptied field does not", async () => {
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "ab{Backspace}{Backspace}");
    expect(scene.askedFor("typing")).toEqual([[HERE], [HERE], [HERE]]);
  });

  test("a text beyond the limit is refused with the reason, and can go as a file", async () => {
    show(scene, <Composer conversationId={HERE} />);
    fireEvent.change(field(), { target: { value: "word ".repeat(14_000) } });
    await userEvent.type(field(), "{Enter}");
    expect(sent()).toEqual([]);
    const alert = screen.getByRole("alert");
    expect(alert.parentElement!.textContent).toMatch(/^Too long: at most 65 kB fit into one message\. 5\.\d kB too much$/);
    // Said once, and not with every key from here on.
    const said = alert.textContent;
    fireEvent.change(field(), { target: { value: "word ".repeat(14_050) } });
    expect(alert.parentElement!.textContent).toMatch(/5\.7 kB too much$/);
    expect(alert.isConnected).toBe(true);
    expect(alert.textContent).toBe(said);
    await userEvent.click(screen.getByRole("button", { name: "Attach as file" }));
    expect(screen.getByText("Message.txt")).toBeDefined();
    expect(field().value).toBe("");
  });
});

describe("drafts", () => {
  test("a draft is there again when its chat is opened, and each chat has its own", async () => {
    chat.setState({ drafts: { [HERE]: "half a thought" } });
    const { rerender } = show(scene, <Composer conversationId={HERE} />);
    expect(field().value).toBe("half a thought");
    rerender(<Composer conversationId={THERE} />);
    expect(field().value).toBe("");
    await userEvent.type(field(), "other");
    rerender(<Composer conversationId={HERE} />);
    expect(field().value).toBe("half a thought");
    expect(chat.getState().drafts[THERE]).toBe("other");
  });

  test("a draft is kept once the writer pauses, not with every letter", () => {
    vi.useFakeTimers();
    show(scene, <Composer conversationId={HERE} />);
    for (const value of ["H", "He", "Hel"]) fireEvent.change(field(), { target: { value } });
    expect(scene.askedFor("setDraft")).toEqual([]);
    vi.advanceTimersByTime(KEEP_AFTER_MS);
    expect(scene.askedFor("setDraft")).toEqual([[HERE, "Hel"]]);
  });

  test("leaving the page keeps the draft at once", () => {
    show(scene, <Composer conversationId={HERE} />);
    fireEvent.change(field(), { target: { value: "Hel" } });
    fireEvent(window, new Event("pagehide"));
    expect(scene.askedFor("setDraft")).toEqual([[HERE, "Hel"]]);
  });

  test("a draft that is read from the device late still appears in the untouched field", () => {
    show(scene, <Composer conversationId={HERE} />);
    act(() => chat.setState({ drafts: { [HERE]: "from yesterday" } }));
    expect(field().value).toBe("from yesterday");
  });

  test("what another tab writes does not touch what is being typed here", async () => {
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "mine");
    act(() => chat.setState({ drafts: { [HERE]: "theirs" } }));
    expect(field().value).toBe("mine");
  });

  test("what another tab writes appears here once one is elsewhere", async () => {
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "mine");
    act(() => field().blur());
    act(() => chat.setState({ drafts: { [HERE]: "theirs" } }));
    expect(field().value).toBe("theirs");
  });
});

describe("the field", () => {
  test("it has the focus when a chat is opened, but not on touch", () => {
    const { unmount } = show(scene, <Composer conversationId={HERE} />);
    expect(document.activeElement).toBe(field());
    unmount();
    onTouch();
    show(scene, <Composer conversationId={HERE} />);
    expect(document.activeElement).not.toBe(field());
  });

  test("it names the agent", () => {
    show(scene, <Composer conversationId={HERE} />);
    expect(field().placeholder).toBe("Message Coder");
    expect(screen.getByRole("textbox", { name: "Message Coder" })).toBe(field());
  });

  test("Ctrl+B makes the selection bold", async () => {
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "word");
    field().setSelectionRange(0, 4);
    await userEvent.keyboard("{Control>}b{/Control}");
    expect(field().value).toBe("**word**");
  });
});

describe("encrypted conversations", () => {
  test("the field says so, and files are taken like elsewhere", async () => {
    chat.setState({ secrecy: { [HERE]: { kind: "on", safetyNumber: "1", verified: true } } });
    show(scene, <Composer conversationId={HERE} />);
    expect(screen.getByText("Encrypted: only you and the agent can read it")).toBeDefined();
    expect(screen.getByRole("button", { name: "Attach files" }).getAttribute("aria-disabled")).not.toBe("true");
    await userEvent.upload(screen.getByTestId("files"), new File(["plan"], "plan.txt"));
    expect(scene.uploads.map(({ file }) => file.name)).toEqual(["plan.txt"]);
  });

  test("nothing is sent to a changed identity until a person has looked", async () => {
    chat.setState({ secrecy: { [HERE]: { kind: "changed", safetyNumber: "2" } } });
    show(scene, <Composer conversationId={HERE} />);
    await userEvent.type(field(), "secret{Enter}");
    expect(sent()).toEqual([]);
    expect(field().value).toBe("secret");
    expect(screen.getByRole("alert").textContent).toMatch(/open the lock at the top/);
  });
});
