import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { AdminUser } from "../../src/manage/shapes.ts";
import { UsersSection } from "../../src/manage/users-section.tsx";
import { fakeServer, refusal, show, type Answers } from "../settings/fake-server.tsx";

const BOB: AdminUser = {
  user_id: "u/2",
  username: "bob",
  tier: "free",
  is_admin: false,
  created_at: "2026-11-01T10:00:00.000Z",
  last_seen: null,
  connections: 0,
  sessions: 2,
  storage_bytes: 1_500_000,
};
const ALICE: AdminUser = { ...BOB, user_id: "u1", username: "alice", is_admin: true, connections: 1 };
const session = (session_id: string) => ({
  session_id,
  user_agent: `${session_id}/1`,
  current: false,
  created_at: "2026-11-01T10:00:00.000Z",
  last_used_at: "2026-11-02T10:00:00.000Z",
  expires_at: "2027-01-01T10:00:00.000Z",
  address: "10.0.0.7",
});
const PATH = "/admin/users/u%2F2";

function open(answers: Answers = {}) {
  const server = fakeServer({
    "GET /admin/users": () => ({ users: [ALICE, BOB], next: null }),
    [`GET ${PATH}/sessions`]: () => ({ sessions: [session("one"), session("two")] }),
    "GET /admin/rate-limit/tier": () => ({ limit: 60, remaining: 59 }),
    ...answers,
  });
  show(<UsersSection />, { rest: server.rest });
  return { server, user: userEvent.setup() };
}

async function openBob(answers: Answers = {}) {
  const { server, user } = open(answers);
  await user.click(await screen.findByRole("button", { name: "bob" }));
  const dialog = within(await screen.findByRole("dialog", { name: "bob" }));
  await dialog.findByText("one 1");
  return { server, user, dialog };
}

/** The one on top of the first. */
const question = (name: string) => within(screen.getByRole("dialog", { name }));
const row = (name: string) => screen.getByRole("button", { name }).closest("tr")!;

test("everybody is a row that names them, with what administrators need to see", async () => {
  const { server } = open();
  await screen.findByRole("table", { name: "People" });
  expect(within(row("alice")).getByText("Administrator")).toBeTruthy();
  expect(within(row("alice")).getByText("Online")).toBeTruthy();
  expect(row("bob").textContent).toContain("Never");
  expect(row("bob").textContent).toContain("1.5 MB");
  expect(server.asked.map(({ what }) => what)).toEqual(["GET /admin/users"]);
});

test("people are found by a part of their name and by tier, once one has stopped typing", async () => {
  const { server, user } = open();
  await user.type(screen.getByLabelText("Search"), "bo b");
  await waitFor(() => expect(server.asked.at(-1)?.what).toBe("GET /admin/users?q=bo+b"));
  await user.selectOptions(screen.getByLabelText("Tier"), "Pro");
  await waitFor(() => expect(server.asked.at(-1)?.what).toBe("GET /admin/users?q=bo+b&tier=pro"));
  expect(server.asked.length).toBeLessThan(5);
});

test("the next page is asked for by its cursor and put under the first", async () => {
  const { server, user } = open({
    "GET /admin/users": ({ what }) =>
      what.includes("cursor=alice") ? { users: [BOB], next: null } : { users: [ALICE], next: "alice" },
  });
  await user.click(await screen.findByRole("button", { name: "Show more" }));
  await screen.findByRole("button", { name: "bob" });
  expect(screen.getByRole("button", { name: "alice" })).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
  expect(server.asked.length).toBe(2);
});

test("nobody found is said", async () => {
  open({ "GET /admin/users": () => ({ users: [], next: null }) });
  expect(await screen.findByText("Nobody found.")).toBeTruthy();
});

test("another tier counts at once, in the list, too", async () => {
  const { server, user, dialog } = await openBob({ [`PATCH ${PATH}`]: () => ({ ...BOB, tier: "pro" }) });
  await user.selectOptions(dialog.getByLabelText("Tier"), "Pro");
  await waitFor(() => expect(row("bob").textContent).toContain("Pro"));
  expect(server.of(`PATCH ${PATH}`).map(({ body }) => body)).toEqual([{ tier: "pro" }]);
});

test("making somebody administrator asks first", async () => {
  const { server, user, dialog } = await openBob({ [`PATCH ${PATH}`]: () => ({ ...BOB, is_admin: true }) });
  const right = dialog.getByRole("switch", { name: /Administrator/ });
  await user.click(right);
  expect(server.of(`PATCH ${PATH}`)).toEqual([]);
  await user.click(question("Make administrator").getByRole("button", { name: "Make administrator" }));

  await waitFor(() => expect((right as HTMLInputElement).checked).toBe(true));
  expect(server.of(`PATCH ${PATH}`).map(({ body }) => body)).toEqual([{ is_admin: true }]);
});

test("a change that is refused is told, and shows what still holds", async () => {
  const { user, dialog } = await openBob({ [`PATCH ${PATH}`]: () => refusal(409, "conflict") });
  await user.selectOptions(dialog.getByLabelText("Tier"), "Pro");
  expect((await dialog.findByRole("alert")).textContent).toContain("last administrator");
  expect((dialog.getByLabelText("Tier") as HTMLSelectElement).value).toBe("free");
});

test("one session is ended, then all", async () => {
  const { server, user, dialog } = await openBob({
    [`DELETE ${PATH}/sessions/one`]: () => ({}),
    [`DELETE ${PATH}/sessions`]: () => ({}),
  });
  await user.click(dialog.getByRole("button", { name: "End all" }));
  await dialog.findByText("Nowhere.");
  expect(server.of(`DELETE ${PATH}/sessions`).length).toBe(1);
});

test("ending one session leaves the others", async () => {
  const { server, user, dialog } = await openBob({ [`DELETE ${PATH}/sessions/one`]: () => ({}) });
  await user.click(dialog.getByRole("button", { name: "End: one 1" }));
  await waitFor(() => expect(dialog.queryByText("one 1")).toBeNull());
  expect(dialog.getByText("two 1")).toBeTruthy();
  expect(server.of(`DELETE ${PATH}/sessions/one`).length).toBe(1);
});

test("a new password is made by the server, after asking, and shown", async () => {
  const { server, user, dialog } = await openBob({
    [`POST ${PATH}/password`]: () => ({ password: "made by the server" }),
  });
  await user.click(dialog.getByRole("button", { name: "Reset password …" }));
  await user.click(question("Reset password").getByRole("button", { name: "Reset password" }));
  expect((await dialog.findByRole("group", { name: "Password" })).textContent).toBe("made by the server");
  expect(server.of(`POST ${PATH}/password`).map(({ body }) => body)).toEqual([{}]);
});

test("a person goes only after their name was typed, and leaves the list", async () => {
  const { server, user, dialog } = await openBob({ [`DELETE ${PATH}`]: () => ({}) });
  await user.click(dialog.getByRole("button", { name: "Delete account …" }));
  const sure = question("Delete account");
  await user.click(sure.getByRole("button", { name: "Delete account" }));
  expect(server.of(`DELETE ${PATH}`)).toEqual([]);
  await user.type(sure.getByLabelText("To be sure, type bob"), "bob{Enter}");

  await waitFor(() => expect(screen.queryByRole("button", { name: "bob" })).toBeNull());
  expect(server.of(`DELETE ${PATH}`).length).toBe(1);
  expect(screen.queryByRole("dialog")).toBeNull();
});
