import type { Account } from "@amtrio/client";
import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { Manage } from "../../src/manage/manage.tsx";
import { fakeServer, refusal, show, type Answers } from "../settings/fake-server.tsx";

const ADMIN = { is_admin: true } as Account;

function open(section: string, answers: Answers = {}, account: Account | undefined = ADMIN) {
  const server = fakeServer({
    "GET /admin/users": () => ({ users: [{ user_id: "u2", username: "bob" }], next: null }),
    ...answers,
  });
  show(<Manage section={section} />, { rest: server.rest }, { account, agents: { demo: { agent_id: "demo", name: "Demo" } } });
  return { server, user: userEvent.setup() };
}

afterEach(() => vi.useRealTimers());

test("others than administrators get a clear no, and nothing is asked of the server", () => {
  const { server } = open("users", {}, { is_admin: false } as Account);
  expect(screen.getByRole("heading").textContent).toBe("Only for administrators");
  expect(screen.getByRole("link", { name: "Back to the chats" })).toBeTruthy();
  expect(server.asked).toEqual([]);
});

const SETTINGS = { registration: "open", configured_registration: "open", is_registration_changed: false };

test("who may register is changed by saving, not by passing over it", async () => {
  const { server, user } = open("server", {
    "GET /admin/settings": () => SETTINGS,
    "PATCH /admin/settings": () => ({ ...SETTINGS, registration: "closed", is_registration_changed: true }),
  });
  await user.click(await screen.findByRole("radio", { name: "Nobody" }));
  expect(screen.getByText(/Only invitations for administrators still work/)).toBeTruthy();
  expect(server.of("PATCH /admin/settings")).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Save" }));

  await screen.findByText("The server's configuration says: Everybody.");
  expect(server.of("PATCH /admin/settings").map(({ body }) => body)).toEqual([{ registration: "closed" }]);
  await user.click(screen.getByRole("button", { name: "Go back to that" }));
  expect(server.of("PATCH /admin/settings").at(-1)?.body).toEqual({ registration: null });
});

test("a setting that is refused says so and keeps what was chosen", async () => {
  const { user } = open("server", {
    "GET /admin/settings": () => SETTINGS,
    "PATCH /admin/settings": () => refusal(403, "forbidden"),
  });
  await user.click(await screen.findByRole("radio", { name: "Nobody" }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect((await screen.findByRole("alert")).textContent).toBe("You may not do this.");
  expect((screen.getByRole("radio", { name: "Nobody" }) as HTMLInputElement).checked).toBe(true);
});

test("connections are named, and looked at again while the page is seen", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const agent = { account_kind: "agent", account_id: "demo", connections: 1, connected_at: "2026-11-01T10:00:00.000Z" };
  const person = { account_kind: "user", account_id: "u2", connections: 2, connected_at: null };
  const lists = [{ total: 1, accounts: [agent] }, { total: 3, accounts: [agent, person] }];
  const { server } = open("connections", { "GET /admin/connections": () => lists.shift() });
  await screen.findByText(/One open connection/);
  expect(screen.getByRole("rowheader", { name: "Demo" })).toBeTruthy();
  act(() => void vi.advanceTimersByTime(5000));
  await screen.findByRole("rowheader", { name: "bob" });
  expect(screen.getByText(/3 open connections/)).toBeTruthy();

  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  act(() => void vi.advanceTimersByTime(60_000));
  expect(server.of("GET /admin/connections").length).toBe(2);
});

const entry = (number: number, more: object = {}) => ({
  number,
  at: "2026-11-01T10:00:00.000Z",
  actor: "user",
  actor_id: "u2",
  address: "10.0.0.7",
  action: "user.tier",
  subject: "u2",
  details: { tier: "pro" },
  ...more,
});

test("the record says who did what to whom, in words, also what it has no words for", async () => {
  open("audit", {
    "GET /admin/audit": () => ({
      entries: [
        entry(3),
        entry(2, { actor: "cli", actor_id: null, address: "", action: "agent.added", subject: "demo", details: {} }),
        entry(1, { actor: "secret", actor_id: null, action: "moon.landed", subject: "x" }),
      ],
      next: null,
    }),
  });
  const table = await screen.findByRole("table", { name: "Audit log" });
  await within(table).findByText("bob (10.0.0.7)");
  const rows = within(table).getAllByRole("row").slice(1);
  expect(within(rows[0]!).getByRole("rowheader").textContent).toBe("Tier changed");
  expect(rows[0]!.textContent).toContain("tier: pro");
  expect(rows[1]!.textContent).toContain("Command line");
  expect(within(rows[2]!).getByRole("rowheader").textContent).toBe("moon.landed");
});

test("the record goes on page by page, for one kind of act", async () => {
  const { server, user } = open("audit", {
    "GET /admin/audit": ({ what }) =>
      what.includes("cursor=9") ? { entries: [entry(8)], next: null } : { entries: [entry(9)], next: 9 },
  });
  await user.selectOptions(await screen.findByLabelText("What"), "Tier changed");
  await user.click(await screen.findByRole("button", { name: "Show more" }));
  await vi.waitFor(() => expect(screen.getAllByRole("rowheader").length).toBe(2));
  expect(server.of("GET /admin/audit").map(({ what }) => what)).toEqual([
    "GET /admin/audit",
    "GET /admin/audit?action=user.tier",
    "GET /admin/audit?action=user.tier&cursor=9",
  ]);
});
