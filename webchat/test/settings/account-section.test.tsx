import { Refused, type Account } from "@amtrio/client";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { AccountSection } from "../../src/settings/account-section.tsx";
import { fakeServer, refusal, show, type Answers } from "./fake-server.tsx";

const ACCOUNT: Account = {
  user_id: "u1",
  username: "alice",
  tier: "pro",
  is_admin: true,
  created_at: "2026-11-01T10:00:00.000Z",
  storage: { used_bytes: 250_000_000, quota_bytes: 1_000_000_000, files: 3 },
  limits: { requests_per_minute: 60, messages_per_minute: 60, ephemeral_per_minute: 60, max_upload_bytes: 1 },
};

function open(answers: Answers = {}) {
  const server = fakeServer({ "GET /account": () => ACCOUNT, ...answers });
  const deleteAccount = vi.fn<(password: string) => Promise<void>>(async () => {});
  show(<AccountSection />, { rest: server.rest, deleteAccount });
  return { server, deleteAccount, user: userEvent.setup() };
}

afterEach(() => vi.unstubAllGlobals());

test("the account says its tier, its right, and how full its storage is", async () => {
  open();
  await screen.findByText("Pro");
  expect(screen.getByText("Administrator")).toBeTruthy();
  const meter = screen.getByRole("meter", { name: "3 files, 250 MB of 1 GB" });
  expect(meter.getAttribute("aria-valuenow")).toBe("250000000");
  expect(meter.getAttribute("aria-valuemax")).toBe("1000000000");
});

test("storage without a limit has no meter", async () => {
  open({ "GET /account": () => ({ ...ACCOUNT, storage: { used_bytes: 0, quota_bytes: 0, files: 0 } }) });
  await screen.findByText("0 files, 0 bytes");
  expect(screen.queryByRole("meter")).toBeNull();
});

test("the password is changed with the old one, and the fields are empty then", async () => {
  const { server, user } = open({ "POST /auth/change-password": () => ({ status: "password_changed" }) });
  await user.type(screen.getByLabelText("Current password"), "correct horse");
  await user.type(screen.getByLabelText("New password"), "battery staple{Enter}");

  await waitFor(() => expect((screen.getByLabelText("New password") as HTMLInputElement).value).toBe(""));
  expect(server.of("POST /auth/change-password").map((asked) => asked.body)).toEqual([
    { old_password: "correct horse", new_password: "battery staple" },
  ]);
});

test("an old password that is wrong is told at its field; a short new one is not even sent", async () => {
  const { server, user } = open({ "POST /auth/change-password": () => refusal(403, "forbidden") });
  const old = screen.getByLabelText("Current password");
  await user.type(old, "wrong horse");
  await user.type(screen.getByLabelText("New password"), "short{Enter}");
  expect(document.activeElement).toBe(screen.getByLabelText("New password"));
  expect(server.of("POST /auth/change-password")).toEqual([]);

  await user.type(screen.getByLabelText("New password"), " but longer{Enter}");
  await screen.findByText("This is not your password.");
  expect(document.activeElement).toBe(old);
});

test("everything comes as a download under a name that says whose and when, with how much has come", async () => {
  const links: HTMLAnchorElement[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    links.push(this);
  });
  const stream = new TransformStream<Uint8Array, Uint8Array>();
  const { user } = open({ "GET /account/export": () => new Response(stream.readable) });
  await user.click(screen.getByRole("button", { name: "Download archive" }));
  const writer = stream.writable.getWriter();
  await writer.write(new Uint8Array(3000));
  await screen.findByText("3 kB so far");
  expect(screen.getByRole("progressbar")).toBeTruthy();
  await writer.close();

  await screen.findByText("Done: 3 kB are in your downloads.");
  expect(links.map((link) => link.download)).toEqual([expect.stringMatching(/^amtrio-alice-\d{4}-\d\d-\d\d\.zip$/)]);
  expect(links[0]!.href).toMatch(/^blob:/);
});

test("an export that is cancelled leaves neither a file nor an error", async () => {
  const stream = new TransformStream<Uint8Array, Uint8Array>();
  const click = vi.spyOn(HTMLAnchorElement.prototype, "click");
  const { user } = open({
    "GET /account/export": () => new Response(stream.readable),
  });
  await user.click(screen.getByRole("button", { name: "Download archive" }));
  await user.click(await screen.findByRole("button", { name: "Cancel" }));
  await stream.writable.abort(new Error("gone"));

  await screen.findByRole("button", { name: "Download archive" });
  expect(screen.queryByRole("alert")).toBeNull();
  expect(click).not.toHaveBeenCalled();
});

test("an export that runs already is told as that", async () => {
  const { user } = open({ "GET /account/export": () => refusal(409, "conflict") });
  await user.click(screen.getByRole("button", { name: "Download archive" }));
  expect((await screen.findByRole("alert")).textContent).toContain("is being made already");
});

async function openDialog(user: ReturnType<typeof userEvent.setup>) {
  await user.click(screen.getByRole("button", { name: "Delete account …" }));
  const dialog = within(await screen.findByRole("dialog"));
  return {
    name: dialog.getByLabelText("To be sure, type alice"),
    password: dialog.getByLabelText("Password"),
    confirm: dialog.getByRole("button", { name: "Delete account" }),
  };
}

test("the account goes only after its name and its password", async () => {
  const { deleteAccount, user } = open();
  const { name, password, confirm } = await openDialog(user);
  await user.type(name, "alic");
  await user.type(password, "correct horse");
  await user.click(confirm);
  expect(deleteAccount).not.toHaveBeenCalled();
  expect(document.activeElement).toBe(name);

  await user.type(name, "e");
  await user.click(confirm);
  await waitFor(() => expect(deleteAccount.mock.calls).toEqual([["correct horse"]]));
});

test("a wrong password is told at the field", async () => {
  const { deleteAccount, user } = open();
  deleteAccount.mockRejectedValueOnce(new Refused("no", { code: "forbidden" }));
  const { name, password } = await openDialog(user);
  await user.type(name, "alice");
  await user.type(password, "wrong{Enter}");
  await screen.findByText("The password is wrong.");
  expect(document.activeElement).toBe(password);
});

test("the last administrator is told what to do first", async () => {
  const { deleteAccount, user } = open();
  deleteAccount.mockRejectedValueOnce(new Refused("no", { code: "conflict" }));
  const { name, password } = await openDialog(user);
  await user.type(name, "alice");
  await user.type(password, "correct horse{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("only administrator");
});
