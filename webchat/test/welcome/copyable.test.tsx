import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Toasts } from "../../src/design/toast.tsx";
import { Copyable } from "../../src/welcome/copyable.tsx";
import { show } from "../settings/fake-server.tsx";

test("the button copies exactly the text, and says that it did", async () => {
  const user = userEvent.setup();
  show(<Copyable label="Link" text={"one\n  two"} />, {});
  await user.click(screen.getByRole("button", { name: "Copy: Link" }));

  expect(await navigator.clipboard.readText()).toBe("one\n  two");
  expect(screen.getByRole("button", { name: "Copied: Link" })).toBeTruthy();
});

test("without a clipboard the old way copies the bare text, marks nothing, and the focus stays", async () => {
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("not a secure context"));
  let copied = "";
  document.execCommand = () => {
    copied = (document.activeElement as HTMLTextAreaElement).value;
    return true;
  };
  show(<Copyable label="Link" text="one two" />, {});
  await user.click(screen.getByRole("button", { name: "Copy: Link" }));

  expect(await screen.findByRole("button", { name: "Copied: Link" })).toBe(document.activeElement);
  expect(copied).toBe("one two");
  expect(getSelection()?.toString()).toBe("");
});

test("where pages may not copy the text is marked, and the person told to copy it", async () => {
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("not allowed"));
  document.execCommand = () => false;
  show(
    <>
      <Copyable label="Link" text="one two" />
      <Toasts />
    </>,
    {},
  );
  await user.click(screen.getByRole("button", { name: "Copy: Link" }));

  await screen.findByText(/copy it with the keyboard/);
  expect(getSelection()?.toString()).toBe("one two");
});
