import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ChatState, Outgoing } from "../../src/engine/state.ts";
import { choose } from "../../src/i18n/language.ts";
import { AlreadyIn } from "../../src/welcome/already-in.tsx";
import { show } from "../settings/fake-server.tsx";

function open(state: Partial<ChatState> = {}) {
  const signOut = vi.fn<() => Promise<void>>(async () => {});
  const onClose = vi.fn<() => void>();
  show(<AlreadyIn invitation="inv_abc" onClose={onClose} />, { signOut, keepsKeys: () => false }, state);
  return { signOut, onClose, user: userEvent.setup() };
}

beforeEach(() => choose("en"));
afterEach(() => history.replaceState(null, "", "/"));

test("it says who is signed in, and whoever stays so loses nothing", async () => {
  const { signOut, onClose, user } = open();
  expect(screen.getByRole("dialog", { name: "You are signed in as alice" })).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(onClose).toHaveBeenCalledTimes(1);
  expect(signOut).not.toHaveBeenCalled();
  expect(location.hash).toBe("");
});

test("signing out goes on to the invitation, once it has worked", async () => {
  const { signOut, user } = open();
  signOut.mockRejectedValueOnce(new Error("not now"));
  await user.click(screen.getByRole("button", { name: "Sign out and go on" }));
  expect((await screen.findByRole("alert")).textContent).toBe("not now");
  expect(location.hash).toBe("");
  await user.click(screen.getByRole("button", { name: "Sign out and go on" }));
  await waitFor(() => expect(location.hash).toBe("#/join/inv_abc"));
});

test("what is lost by signing out is said here, too", () => {
  open({ outgoing: { conv: [{ clientId: "c1", state: "waiting" } as Outgoing] } });
  expect(screen.getByText("One message has not been sent yet. It will be lost.")).toBeTruthy();
});
