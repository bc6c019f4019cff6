import { Refused, Unreachable } from "@amtrio/client";
import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Actions } from "../../src/engine/actions.ts";
import { choose } from "../../src/i18n/language.ts";
import { Welcome } from "../../src/welcome/welcome.tsx";
import { fakeServer, refusal, show, type Answers } from "../settings/fake-server.tsx";

type Options = Awaited<ReturnType<Actions["options"]>>;
const OPEN: Options = { registration: "open", needs_administrator: false };
const CLOSED: Options = { registration: "closed", needs_administrator: false };

interface Scene {
  readonly options?: Options;
  readonly signIn?: Actions["signIn"];
  readonly register?: Actions["register"];
  readonly answers?: Answers;
  readonly notice?: string;
}

/** What it was told to do, in order. */
async function arrive({ options = OPEN, signIn, register, answers = {}, notice }: Scene = {}) {
  const told: unknown[][] = [];
  const server = fakeServer(answers);
  show(
    <Welcome notice={notice} />,
    {
      rest: server.rest,
      options: async () => options,
      signIn: async (...given) => {
        told.push(["signIn", ...given]);
        await signIn?.(...given);
      },
      register: async (...given) => {
        told.push(["register", ...given]);
        await register?.(...given);
      },
    },
    { self: null },
  );
  await screen.findByRole("heading", { level: 1 });
  return { told, server, user: userEvent.setup() };
}

const refused = (code: string, more: object = {}) => async () => {
  throw new Refused("said by the server", { code, ...more });
};
const name = () => screen.getByLabelText("Username");
const password = () => screen.getByLabelText("Password");
const button = (label: string) => screen.findByRole("button", { name: label });

beforeEach(() => choose("en"));
afterEach(() => {
  vi.useRealTimers();
  history.replaceState(null, "", "/");
});

test("a name and a password sign in by the keyboard alone, and password managers know the fields", async () => {
  const { told, user } = await arrive();
  await user.click(name());
  await user.keyboard(" alice {Tab}correct horse{Enter}");

  expect(told).toEqual([["signIn", "alice", "correct horse"]]);
  expect(name().getAttribute("autocomplete")).toBe("username");
  expect(password().getAttribute("autocomplete")).toBe("current-password");
});

test("a wrong password is told at the field, which gets the focus", async () => {
  const { user } = await arrive({ signIn: refused("unauthorized") });
  await user.type(name(), "alice");
  await user.type(password(), "wrong horse");
  await user.click(await button("Sign in"));

  await waitFor(() => expect(document.activeElement).toBe(password()));
  expect(password().getAttribute("aria-invalid")).toBe("true");
  const note = document.getElementById(password().getAttribute("aria-describedby")!);
  expect(note?.textContent).toBe("The name or the password is wrong.");
});

test("what is missing is told before anything is sent", async () => {
  const { told, user } = await arrive();
  await user.click(await button("Sign in"));

  expect(document.activeElement).toBe(name());
  expect(screen.getByText("Your password is missing.")).toBeTruthy();
  expect(told).toEqual([]);
});

test("a password can be looked at, and hidden again", async () => {
  const { user } = await arrive();
  const eye = await button("Show password");
  await user.click(eye);
  expect(password().getAttribute("type")).toBe("text");
  expect(eye.getAttribute("aria-pressed")).toBe("true");
  await user.click(eye);
  expect(password().getAttribute("type")).toBe("password");
});

test("after too many tries it says how long to wait, counts down, and sends nothing meanwhile", async () => {
  const { told, user } = await arrive({ signIn: refused("rate_limited", { retry: "after_ms", retryAfterMs: 2400 }) });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
  await user.type(name(), "alice");
  await user.type(password(), "correct horse{Enter}");

  expect((await screen.findByRole("alert")).textContent).toContain("Try again in 3 seconds.");
  expect(screen.getByRole("button", { name: "Sign in" }).getAttribute("aria-disabled")).toBe("true");
  await user.keyboard("{Enter}");
  expect(told.length).toBe(1);
  act(() => void vi.advanceTimersByTime(3000));
  await user.keyboard("{Enter}");
  expect(told.length).toBe(2);
});

test("a server that does not answer loses nothing that was written", async () => {
  const { user } = await arrive({
    signIn: async () => {
      throw new Unreachable("POST /auth/login: no route");
    },
  });
  await user.type(name(), "alice");
  await user.type(password(), "correct horse");
  await user.click(await button("Sign in"));

  expect((await screen.findByRole("alert")).textContent).toContain("The server does not answer.");
  expect((name() as HTMLInputElement).value).toBe("alice");
  expect((password() as HTMLInputElement).value).toBe("correct horse");
});

test("the rules for names and passwords are told before sending, and hold before sending", async () => {
  const { told, user } = await arrive();
  await user.click(await button("Create an account"));
  expect(screen.getByText("At least 8 characters; a few words in a row are good.")).toBeTruthy();
  expect(password().getAttribute("autocomplete")).toBe("new-password");
  await user.type(name(), "a b");
  await user.type(password(), "short");
  await user.click(await button("Create account"));

  expect(document.activeElement).toBe(name());
  expect(screen.getByText("The password needs at least 8 characters.")).toBeTruthy();
  expect(told).toEqual([]);
});

test("an account is made where that is open to everybody", async () => {
  const { told, user } = await arrive();
  await user.click(await button("Create an account"));
  await user.type(name(), "alice");
  await user.type(password(), "correct horse{Enter}");

  expect(told).toEqual([["register", "alice", "correct horse", undefined]]);
});

test("a name that is taken is told at the field", async () => {
  const { user } = await arrive({ register: refused("conflict") });
  await user.click(await button("Create an account"));
  await user.type(name(), "alice");
  await user.type(password(), "correct horse{Enter}");

  await screen.findByText("alice is taken. Choose another name.");
  expect(document.activeElement).toBe(name());
});

test("a closed server says who makes accounts, and offers none", async () => {
  await arrive({ options: CLOSED });
  await screen.findByText("New accounts are made by whoever runs this server.");
  expect(screen.queryByRole("button", { name: /account/ })).toBeNull();
});

test("an invitation leaves the address bar, is looked at without being used, and makes the account", async () => {
  history.replaceState(null, "", "/#/join/inv_abc-1");
  const { told, server, user } = await arrive({
    options: CLOSED,
    answers: { "POST /auth/invitation": () => ({ valid: true, expires_at: "2026-12-02T21:00:00.000Z" }) },
  });
  await screen.findByText(/You have been invited/);
  expect(location.hash).toBe("");
  expect(server.asked.at(-1)).toEqual({ what: "POST /auth/invitation", body: { invitation: "inv_abc-1" } });

  await user.type(name(), "alice");
  await user.type(password(), "correct horse{Enter}");
  expect(told).toEqual([["register", "alice", "correct horse", "inv_abc-1"]]);
});

test("an invitation that is worth nothing says so, and another one can be pasted", async () => {
  history.replaceState(null, "", "/#/join/inv_old");
  const { user } = await arrive({
    answers: {
      "POST /auth/invitation": ({ body }) =>
        (body as { invitation: string }).invitation === "inv_new"
          ? { valid: true, expires_at: "2026-12-02T21:00:00.000Z" }
          : { valid: false, expires_at: null },
    },
  });
  expect((await screen.findByRole("alert")).textContent).toContain("no longer works");
  await user.type(screen.getByLabelText("Invitation"), "https://chat.example.org/#/join/inv_new{Enter}");
  await screen.findByText(/You have been invited/);
});

test("an invitation that cannot be looked at now can be looked at again", async () => {
  history.replaceState(null, "", "/#/join/inv_abc");
  const answers = [refusal(503, "overloaded", { retry: "after_ms", retry_after_ms: 2000 })];
  const { user } = await arrive({
    answers: { "POST /auth/invitation": () => answers.shift() ?? { valid: true, expires_at: null } },
  });
  await user.click(await button("Try again"));
  expect(await screen.findByText(/You have been invited/)).toBeTruthy();
});

test("a link that is followed while the page is open is taken", async () => {
  await arrive({ answers: { "POST /auth/invitation": () => ({ valid: true, expires_at: null }) } });
  history.replaceState(null, "", "/#/join/inv_abc");
  act(() => void dispatchEvent(new HashChangeEvent("hashchange")));

  await screen.findByText(/You have been invited/);
  expect(location.hash).toBe("");
});

test("a server without an administrator explains where the link is, and takes it", async () => {
  const { server, user } = await arrive({
    options: { registration: "closed", needs_administrator: true },
    answers: { "POST /auth/invitation": () => ({ valid: true, expires_at: null }) },
  });
  await screen.findByText(/printed a link for the first one on its terminal/);
  expect(screen.queryByRole("button", { name: /ordinary account/ })).toBeNull();

  await user.type(screen.getByLabelText("Invitation"), "nothing{Enter}");
  expect(document.activeElement).toBe(screen.getByLabelText("Invitation"));
  expect(server.asked).toEqual([]);
  await user.clear(screen.getByLabelText("Invitation"));
  await user.type(screen.getByLabelText("Invitation"), "inv_first{Enter}");
  await screen.findByText(/You have been invited/);
  expect(server.asked.at(-1)?.body).toEqual({ invitation: "inv_first" });
});

test("a server without an administrator still lets people register if that is open", async () => {
  const { told, user } = await arrive({ options: { registration: "open", needs_administrator: true } });
  await user.click(await button("Create an ordinary account"));
  await user.type(name(), "alice");
  await user.type(password(), "correct horse{Enter}");
  expect(told).toEqual([["register", "alice", "correct horse", undefined]]);
});

test("registration that was closed meanwhile is told in its own words", async () => {
  const { user } = await arrive({ register: refused("forbidden") });
  await user.click(await button("Create an account"));
  await user.type(name(), "alice");
  await user.type(password(), "correct horse{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("without an invitation");
});

test("whoever was signed out is told why", async () => {
  await arrive({ notice: "Your session has ended." });
  expect(screen.getByRole("status").textContent).toBe("Your session has ended.");
});

test("the page speaks another language as soon as it is chosen", async () => {
  const { user } = await arrive();
  await user.selectOptions(screen.getByLabelText("Language"), "Deutsch");
  expect(screen.getByRole("button", { name: "Anmelden" })).toBeTruthy();
  expect(document.documentElement.lang).toBe("de");
});

test("the colours can be chosen before anybody is signed in", async () => {
  const { user } = await arrive();
  await user.click(screen.getByRole("radio", { name: "Dark" }));
  expect(document.documentElement.style.colorScheme).toBe("dark");
});
