import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { choose } from "../../src/i18n/language.ts";
import { SignOutQuestion } from "../../src/settings/sign-out-question.tsx";
import { show } from "./fake-server.tsx";

beforeEach(() => choose("en"));

test("whoever asks to sign out by the keyboard is asked back, also if nothing is lost", async () => {
  const signOut = vi.fn<() => Promise<void>>(async () => {});
  const onClose = vi.fn<() => void>();
  show(<SignOutQuestion onClose={onClose} />, { signOut, keepsKeys: () => false });
  const user = userEvent.setup();
  expect(screen.queryByText(/will be lost/)).toBeNull();
  await user.click(screen.getByRole("button", { name: "Sign out" }));
  expect(signOut).toHaveBeenCalledTimes(1);
  await waitFor(() => expect(onClose).toHaveBeenCalledTimes(1));
});
