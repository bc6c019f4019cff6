import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { Toasts } from "../../src/design/toast.tsx";
import { CodeBlock } from "../../src/markdown/code-block.tsx";

afterEach(() => {
  vi.useRealTimers();
});

const SOURCE = 'const a = "1";\n\treturn `${a}`; // <b>&amp;</b>\n';

test("Copy puts the source into the clipboard, to the letter, and says so for a second and a half", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
  render(<CodeBlock text={SOURCE} language="js" isOpen={false} />);
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await navigator.clipboard.readText()).toBe(SOURCE);
  expect(screen.getByRole("button", { name: "Copied" })).toBeDefined();
  act(() => vi.advanceTimersByTime(1500));
  expect(screen.getByRole("button", { name: "Copy" })).toBeDefined();
});

test("a browser that does not let one copy is not said to have copied", async () => {
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("no permission"));
  document.execCommand = () => false;
  render(
    <>
      <CodeBlock text={SOURCE} language="js" isOpen={false} />
      <Toasts />
    </>,
  );
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(screen.getByText("Could not copy")).toBeDefined();
  expect(screen.queryByText("Copied")).toBeNull();
});

test("without a clipboard the old way of copying is taken, and focus comes back", async () => {
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("not a secure context"));
  let copied = "";
  document.execCommand = () => {
    copied = (document.activeElement as HTMLTextAreaElement).value;
    return true;
  };
  render(<CodeBlock text={"one line"} language="js" isOpen={false} />);
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(copied).toBe("one line");
  expect(document.activeElement?.textContent).toBe("Copied");
  expect(document.querySelector("textarea")).toBeNull();
});

test("the code has a name, is a stop for the keyboard, and wraps on request", async () => {
  render(<CodeBlock text={SOURCE} language="js" isOpen={false} />);
  const code = screen.getByRole("group", { name: "Code, js" });
  expect(code.getAttribute("tabindex")).toBe("0");
  const wrap = screen.getByRole("button", { name: "Wrap long lines" });
  expect(wrap.getAttribute("aria-pressed")).toBe("false");
  await userEvent.click(wrap);
  expect(wrap.getAttribute("aria-pressed")).toBe("true");
  expect(code.hasAttribute("data-wrap")).toBe(true);
});

test("colours come later and change no character", async () => {
  const { container } = render(<CodeBlock text={SOURCE} language="js" isOpen={false} />);
  expect(container.querySelector("code")!.textContent).toBe(SOURCE);
  await waitFor(() => expect(container.querySelector("code > span")).not.toBeNull());
  expect(container.querySelector("code")!.textContent).toBe(SOURCE);
  expect(container.querySelector("code b")).toBeNull();
});

test("a block that grows is coloured line by line, and no further than 8,000 characters", async () => {
  const { container, rerender } = render(<CodeBlock text={"let a = 1;\n"} language="js" isOpen />);
  const code = container.querySelector("code")!;
  await waitFor(() => expect(code.querySelector("span")).not.toBeNull());
  const long = "let a = 1;\n".repeat(1500);
  rerender(<CodeBlock text={long} language="js" isOpen />);
  expect(code.textContent).toBe(long);
  const coloured = [...code.querySelectorAll(":scope > span")].length / 2;
  expect(coloured).toBeGreaterThan(700);
  expect(coloured).toBeLessThanOrEqual(8000 / 11);
  expect(code.lastChild!.textContent!.length).toBeGreaterThan(8000);
});

test("a language that nobody knows stays plain", async () => {
  const { container, rerender } = render(<CodeBlock text={SOURCE} language="js" isOpen />);
  await waitFor(() => expect(container.querySelector("code > span")).not.toBeNull());
  rerender(<CodeBlock text={SOURCE} language="nosuch" isOpen />);
  expect(container.querySelector("code > span")).toBeNull();
  expect(container.querySelector("code")!.textContent).toBe(SOURCE);
});

test("a long block is folded until one asks for all of it; Copy still takes all of it", async () => {
  const user = userEvent.setup();
  const text = Array.from({ length: 61 }, (_, at) => `line ${at + 1}`).join("\n");
  render(<CodeBlock text={text} language="" isOpen={false} />);
  const code = screen.getByRole("group", { name: "Code" });
  expect(code.textContent).not.toContain("line 41");
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await navigator.clipboard.readText()).toBe(text);
  const more = screen.getByRole("button", { name: "Show all (61 lines)" });
  expect(more.getAttribute("aria-expanded")).toBe("false");
  await user.click(more);
  expect(code.textContent).toBe(text);
  await user.click(screen.getByRole("button", { name: "Show less" }));
  expect(code.textContent).not.toContain("line 41");
});

test("sixty lines are not folded", () => {
  render(<CodeBlock text={"x\n".repeat(59)} language="" isOpen={false} />);
  expect(screen.queryByRole("button", { name: /Show/ })).toBeNull();
});

test("what one saw grow does not fold under one's eyes when it is finished", () => {
  const text = "x\n".repeat(80);
  const { rerender } = render(<CodeBlock text={text} language="" isOpen />);
  rerender(<CodeBlock text={text} language="" isOpen={false} />);
  expect(screen.getByRole("group", { name: "Code" }).textContent).toBe(text);
});
