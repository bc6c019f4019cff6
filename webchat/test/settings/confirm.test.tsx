import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Confirm } from "../../src/settings/confirm.tsx";
import { show } from "./fake-server.tsx";

function ask(onConfirm: () => Promise<unknown>) {
  const onClose = vi.fn<() => void>();
  show(
    <Confirm title="Delete" action="Delete it" typed="bob" onConfirm={onConfirm} onClose={onClose}>
      <p>Gone for good.</p>
    </Confirm>,
    {},
  );
  return { onClose, user: userEvent.setup() };
}

test("the gravest is done only once the name is typed", async () => {
  const onConfirm = vi.fn<() => Promise<void>>(async () => {});
  const { onClose, user } = ask(onConfirm);
  await user.click(screen.getByRole("button", { name: "Delete it" }));
  expect(screen.getByText("This is not bob.")).toBeTruthy();
  expect(onConfirm).not.toHaveBeenCalled();

  await user.type(screen.getByLabelText("To be sure, type bob"), "bob{Enter}");
  await waitFor(() => expect(onClose).toHaveBeenCalledTimes(1));
  expect(onConfirm).toHaveBeenCalledTimes(1);
});

test("it is done once, however often the button is pressed, and stays open if it fails", async () => {
  let fail: (error: Error) => void = () => {};
  const onConfirm = vi.fn<() => Promise<void>>(() => new Promise<void>((_, reject) => (fail = reject)));
  const { onClose, user } = ask(onConfirm);
  await user.type(screen.getByLabelText("To be sure, type bob"), "bob{Enter}");
  await user.click(screen.getByRole("button", { name: "Delete it" }));
  expect(onConfirm).toHaveBeenCalledTimes(1);

  fail(new Error("not now"));
  expect((await screen.findByRole("alert")).textContent).toBe("not now");
  expect(onClose).not.toHaveBeenCalled();
});
