import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { InvitationsSection } from "../../src/manage/invitations-section.tsx";
import type { Invitation } from "../../src/manage/shapes.ts";
import { fakeServer, show, type Answers } from "../settings/fake-server.tsx";

const FOR_BOB: Invitation = {
  invitation_id: "inv1",
  note: "Bob",
  is_admin: false,
  tier: "free",
  uses_left: 1,
  created_at: "2026-11-01T10:00:00.000Z",
  expires_at: "2026-12-01T10:00:00.000Z",
  status: "open",
};
const MADE = { invitation_id: "inv2", token: "inv_x", link: "https://chat.example.org/#/join/inv_x", expires_at: "2026-12-01T10:00:00.000Z" };

function open(answers: Answers = {}) {
  const server = fakeServer({ "GET /admin/invitations": () => ({ invitations: [FOR_BOB], next: null }), ...answers });
  show(<InvitationsSection />, { rest: server.rest });
  return { server, user: userEvent.setup() };
}

test("an invitation is made as it was asked for, its link is shown once, and the list is brought up to date", async () => {
  const { server, user } = open({ "POST /admin/invitations": () => MADE });
  await user.click(screen.getByRole("button", { name: "Invite" }));
  const dialog = within(screen.getByRole("dialog"));
  await user.type(dialog.getByLabelText("For whom"), " Carol ");
  await user.selectOptions(dialog.getByLabelText("Good for"), "30 days");
  await user.clear(dialog.getByLabelText("How many accounts"));
  await user.type(dialog.getByLabelText("How many accounts"), "3");
  await user.selectOptions(dialog.getByLabelText("Tier"), "Pro");
  await user.click(dialog.getByRole("switch", { name: /As administrator/ }));
  await user.click(dialog.getByRole("button", { name: "Make the link" }));

  expect((await dialog.findByRole("group", { name: "Link" })).textContent).toBe(MADE.link);
  expect(server.of("POST /admin/invitations").map(({ body }) => body)).toEqual([
    { note: "Carol", tier: "pro", uses: 3, hours: 720, is_admin: true, origin: "https://chat.example.org" },
  ]);
  await waitFor(() => expect(server.of("GET /admin/invitations").length).toBe(2));
});

test.each(["0", "-1", "1.5", "many", "10001", ""])("%j accounts are told at the field, and nothing is sent", async (uses) => {
  const { server, user } = open();
  await user.click(screen.getByRole("button", { name: "Invite" }));
  const field = screen.getByLabelText("How many accounts");
  await user.clear(field);
  if (uses !== "") await user.type(field, uses);
  await user.click(screen.getByRole("button", { name: "Make the link" }));
  expect(document.activeElement).toBe(field);
  expect(server.of("POST /admin/invitations")).toEqual([]);
});

test("an invitation is taken back after asking, and cannot be taken back twice", async () => {
  const { server, user } = open({ "DELETE /admin/invitations/inv1": () => ({ ...FOR_BOB, status: "revoked" }) });
  await user.click(await screen.findByRole("button", { name: "Take back: Bob" }));
  expect(server.of("DELETE /admin/invitations/inv1")).toEqual([]);
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Take back" }));
  await screen.findByText("Taken back");
  expect(screen.queryByRole("button", { name: "Take back: Bob" })).toBeNull();
});

test("none so far is said", async () => {
  open({ "GET /admin/invitations": () => ({ invitations: [], next: null }) });
  expect(await screen.findByText("Nobody has been invited yet.")).toBeTruthy();
});
