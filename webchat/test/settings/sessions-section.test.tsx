import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { SessionsSection } from "../../src/settings/sessions-section.tsx";
import { fakeServer, refusal, show, type Answers } from "./fake-server.tsx";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const session = (session_id: string, user_agent: string, current = false) => ({
  session_id,
  user_agent,
  current,
  created_at: "2026-11-01T10:00:00.000Z",
  last_used_at: "2026-11-02T10:00:00.000Z",
  expires_at: "2027-01-01T10:00:00.000Z",
  address: "10.0.0.7",
});
const SESSIONS = [session("s1", FIREFOX, true), session("s2", "amtrio-chat/0.4"), session("s 3", "curl/8")];

function open(answers: Answers = {}) {
  const server = fakeServer({
    "GET /auth/sessions": () => ({ sessions: SESSIONS }),
    "GET /push/devices": () => [],
    ...answers,
  });
  show(<SessionsSection />, { rest: server.rest });
  return { server, user: userEvent.setup() };
}

const rows = () => within(screen.getByRole("list", { name: "Sessions and devices" })).getAllByRole("listitem");

test("each device is named, and the one that asks cannot be ended by accident", async () => {
  open();
  await screen.findByText("Firefox on Linux");
  expect(rows().length).toBe(3);
  expect(within(rows()[0]!).getByText("This device")).toBeTruthy();
  expect(within(rows()[0]!).queryByRole("button")).toBeNull();
  expect(within(rows()[1]!).getByRole("button", { name: "End: amtrio-chat 0.4" })).toBeTruthy();
});

test("ending one asks first, ends that one, and takes it off the list", async () => {
  const { server, user } = open({ "DELETE /auth/sessions/s%203": () => ({ status: "ended" }) });
  await user.click(await screen.findByRole("button", { name: "End: curl 8" }));
  expect(server.asked.some(({ what }) => what.startsWith("DELETE"))).toBe(false);
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "End session" }));

  await waitFor(() => expect(rows().length).toBe(2));
  expect(server.of("DELETE /auth/sessions/s%203").length).toBe(1);
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("ending all others leaves this one; where it fails in the middle the list is right", async () => {
  let isTrouble = true;
  const { server, user } = open({
    "DELETE /auth/sessions/s2": () => ({ status: "ended" }),
    "DELETE /auth/sessions/s%203": () => (isTrouble ? refusal(503, "storage_unavailable") : { status: "ended" }),
  });
  await user.click(await screen.findByRole("button", { name: "End all others" }));
  const dialog = within(screen.getByRole("dialog"));
  expect(dialog.getByText("2 other devices are signed out at once.")).toBeTruthy();
  await user.click(dialog.getByRole("button", { name: "End all others" }));
  await dialog.findByRole("alert");
  expect(rows().length).toBe(2);

  isTrouble = false;
  await user.click(dialog.getByRole("button", { name: "End all others" }));
  await waitFor(() => expect(rows().length).toBe(1));
  expect(server.of("DELETE /auth/sessions/s2").length).toBe(1);
  expect(screen.queryByRole("button", { name: "End all others" })).toBeNull();
});

test("a list that does not come says so and can be asked for again", async () => {
  const answers = [refusal(500, "internal")];
  const { user } = open({ "GET /auth/sessions": () => answers.shift() ?? { sessions: SESSIONS } });
  await user.click(await screen.findByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Firefox on Linux")).toBeTruthy();
});

test("devices that are notified are listed, and one is taken off", async () => {
  const device = { id: "p1", platform: "web", created_at: "2026-11-01T10:00:00.000Z", updated_at: "2026-11-01T10:00:00.000Z", current: true };
  const { server, user } = open({
    "GET /push/devices": () => [device, { ...device, id: "p2", platform: "ios", current: false }],
    "DELETE /push/devices/p2": () => ({ status: "removed" }),
  });
  await user.click(await screen.findByRole("button", { name: "Remove: iPhone or iPad" }));
  await waitFor(() => expect(screen.queryByText("iPhone or iPad")).toBeNull());
  expect(screen.getByText("Browser")).toBeTruthy();
  expect(server.of("DELETE /push/devices/p2").length).toBe(1);
});
