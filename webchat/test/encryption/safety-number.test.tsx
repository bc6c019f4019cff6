/** Digits that people read to each other. */

import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { Toasts } from "../../src/design/toast.tsx";
import { SafetyNumber } from "../../src/encryption/safety-number.tsx";
import { vectors } from "./vectors.ts";

const spoken = vectors.safety_number.match(/.{5}/g)!.join(" ");

it("shows twelve groups of five", () => {
  render(<SafetyNumber number={vectors.safety_number} />);
  expect(screen.getByRole("group", { name: "Safety number" }).textContent).toContain(spoken);
  expect(spoken.split(" ")).toHaveLength(12);
});

it("copies them as they are shown", async () => {
  const user = userEvent.setup();
  render(<SafetyNumber number={vectors.safety_number} />);
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy();
  expect(await navigator.clipboard.readText()).toBe(spoken);
});

it("says so if the browser does not let it", async () => {
  const user = userEvent.setup();
  Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
  render(
    <>
      <SafetyNumber number={vectors.safety_number} />
      <Toasts />
    </>,
  );
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(await screen.findByText(/Select the number/)).toBeTruthy();
});
