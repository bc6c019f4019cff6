/** Digits that people read to each other. */

import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { Toasts } from "../../src/design/toast.tsx";
import { Digits } from "../../src/encryption/safety-number.tsx";
import { vectors } from "./vectors.ts";

const spoken = vectors.safety_number.match(/.{5}/g)!.join(" ");

it("shows twelve groups of five", () => {
  render(<Digits label="Safety number" digits={vectors.safety_number} />);
  expect(screen.getByRole("group", { name: "Safety number" }).textContent).toContain(spoken);
  expect(spoken.split(" ")).toHaveLength(12);
});

it("copies them as they are shown", async () => {
  const user = userEvent.setup();
  render(<Digits label="Safety number" digits={vectors.safety_number} />);
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy();
  expect(await navigator.clipboard.readText()).toBe(spoken);
});

it("copies them where the browser keeps its clipboard closed, too", async () => {
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("no permission"));
  let copied = "";
  document.execCommand = () => {
    copied = (document.activeElement as HTMLTextAreaElement).value;
    return true;
  };
  render(<Digits label="Safety number" digits={vectors.safety_number} />);
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy();
  expect(copied).toBe(spoken);
});

it("says so if the browser does not let it", async () => {
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("no permission"));
  document.execCommand = () => false;
  render(
    <>
      <Digits label="Safety number" digits={vectors.safety_number} />
      <Toasts />
    </>,
  );
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await screen.findByText(/Select the number/)).toBeTruthy();
});
