import { renderHook, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Route } from "wouter";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { holdsQuestion } from "../../src/conversation/hold-choice.ts";
import type { ChatState, Outgoing } from "../../src/engine/state.ts";
import { choose } from "../../src/i18n/language.ts";
import { Settings } from "../../src/settings/settings.tsx";
import { useOverlay } from "../../src/shell/overlay.ts";
import { fakeServer, show } from "./fake-server.tsx";

function open(path: string, state: Partial<ChatState> = {}, hasKeys = false) {
  history.replaceState(null, "", path);
  const server = fakeServer({
    "GET /account": () => new Promise(() => {}),
    "GET /version": () => ({ name: "amtrio", version: "9.8.7", protocol_versions: ["v1", "v2"] }),
  });
  const signOut = vi.fn<() => Promise<void>>(async () => {});
  show(
    <Route path="/settings/:section?">{({ section }) => <Settings section={section} />}</Route>,
    { rest: server.rest, signOut, keepsKeys: () => hasKeys },
    state,
  );
  return { signOut, user: userEvent.setup() };
}

const message = { clientId: "c1", conversationId: "conv", state: "waiting" } as Outgoing;

beforeEach(() => choose("en"));
afterEach(() => history.replaceState(null, "", "/"));

test("a section that is followed is marked, and its heading has the focus", async () => {
  const { user } = open("/settings");
  await user.click(screen.getByRole("link", { name: "Appearance" }));
  expect(location.pathname).toBe("/settings/appearance");
  expect(screen.getByRole("link", { name: "Appearance" }).getAttribute("aria-current")).toBe("page");
  expect(document.activeElement).toBe(screen.getByRole("heading", { name: "Appearance" }));
});

test("a section that nobody knows shows the first one", () => {
  open("/settings/nothing");
  expect(screen.getByRole("heading", { level: 2 }).textContent).toBe("Account");
});

test("colours and language are chosen, and kept on this device", async () => {
  const { user } = open("/settings/appearance");
  await user.click(screen.getByRole("radio", { name: "Dark" }));
  expect(localStorage.getItem("amtrio.theme")).toBe("dark");
  await user.selectOptions(screen.getByLabelText("Language"), "Deutsch");
  expect(localStorage.getItem("amtrio.language")).toBe("de");
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Einstellungen");
  await user.click(screen.getByRole("radio", { name: "System" }));
  expect(localStorage.getItem("amtrio.theme")).toBeNull();
});

test("long answers stay at their beginning for whoever wants that", async () => {
  const { user } = open("/settings/appearance");
  const hold = screen.getByRole("switch", { name: /^Stay at the beginning of long answers/ });
  await user.click(hold);
  expect(holdsQuestion()).toBe(true);
  await user.click(hold);
  expect(holdsQuestion()).toBe(false);
});

test("about says which server this is", async () => {
  open("/settings/about");
  await screen.findByText("amtrio 9.8.7");
  expect(screen.getByText("v1, v2")).toBeTruthy();
});

test("about leads to all shortcuts", async () => {
  const { user } = open("/settings/about");
  const { result } = renderHook(useOverlay);
  await user.click(screen.getByRole("button", { name: "Show all" }));
  expect(result.current).toBe("shortcuts");
});

test("signing out is done at once if nothing is lost with it", async () => {
  const { signOut, user } = open("/settings");
  await user.click(screen.getByRole("button", { name: "Sign out" }));
  expect(signOut).toHaveBeenCalledTimes(1);
});

test("signing out asks while messages wait, and says how many", async () => {
  const { signOut, user } = open("/settings", { outgoing: { conv: [message, { ...message, clientId: "c2" }] } });
  await user.click(screen.getByRole("button", { name: "Sign out" }));
  const dialog = within(screen.getByRole("dialog"));
  expect(dialog.getByText("2 messages have not been sent yet. They will be lost.")).toBeTruthy();
  expect(signOut).not.toHaveBeenCalled();
  await user.click(dialog.getByRole("button", { name: "Cancel" }));
  expect(screen.queryByRole("dialog")).toBeNull();

  await user.click(screen.getByRole("button", { name: "Sign out" }));
  await user.click(screen.getByRole("button", { name: "Sign out anyway" }));
  await waitFor(() => expect(signOut).toHaveBeenCalledTimes(1));
});

test("signing out asks where this device's keys would go", async () => {
  const { signOut, user } = open("/settings", {}, true);
  await user.click(screen.getByRole("button", { name: "Sign out" }));
  expect(within(screen.getByRole("dialog")).getByText(/keys of this device/)).toBeTruthy();
  expect(signOut).not.toHaveBeenCalled();
});

test("a sign-out that fails leaves the person where they are, and can be tried again", async () => {
  const { signOut, user } = open("/settings", { outgoing: { conv: [message] } });
  signOut.mockRejectedValueOnce(new Error("not now"));
  await user.click(screen.getByRole("button", { name: "Sign out" }));
  await user.click(screen.getByRole("button", { name: "Sign out anyway" }));
  expect((await screen.findByRole("alert")).textContent).toBe("not now");
  await user.click(screen.getByRole("button", { name: "Sign out anyway" }));
  expect(signOut).toHaveBeenCalledTimes(2);
});
