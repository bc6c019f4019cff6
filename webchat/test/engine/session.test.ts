import { expect, test, vi } from "vitest";
import { Session } from "../../src/engine/session.ts";
import { promised } from "./scene.ts";

interface Asked {
  readonly path: string;
  readonly token: string | undefined;
  readonly body: unknown;
}

/** A server that knows one token at a time and, if `hasCookie`, gives out the next one. */
function server({ hasCookie = true, isReachable = (): boolean => true } = {}) {
  const asked: Asked[] = [];
  let valid = "t0";
  let given = 0;
  const fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    if (!isReachable()) throw new TypeError("no route");
    const { pathname: path } = new URL(String(input));
    const token = new Headers(init.headers).get("Authorization")?.replace("Bearer ", "");
    asked.push({ path, token, body: init.body === undefined ? undefined : JSON.parse(String(init.body)) });
    const isSigning = path === "/auth/login" || (path === "/auth/session" && hasCookie);
    if (isSigning) {
      given += 1;
      valid = `t${given}`;
      return Response.json({ token: valid, user_id: "alice-id", username: "alice", session_id: "s", expires_at: null });
    }
    return token === valid ? Response.json([]) : Response.json({ error: "no", code: "unauthorized" }, { status: 401 });
  };
  return { asked, fetch, expire: () => (valid = "another") };
}

test("signing in asks for a cookie and leaves the name here, and no token", async () => {
  const { asked, fetch } = server();
  const session = new Session("http://chat.test", fetch);
  await session.signIn("alice", "secret");
  expect(asked[0]?.body).toEqual({ username: "alice", password: "secret", cookie: true });
  expect(session.self).toEqual({ userId: "alice-id", username: "alice" });
  expect(JSON.stringify(Object.entries(localStorage))).not.toContain("t1");
});

test("a token that ran out is replaced once, and who asked does not notice", async () => {
  const { asked, fetch, expire } = server();
  const session = new Session("http://chat.test", fetch);
  await session.signIn("alice", "secret");
  expire();
  await Promise.all([session.rest.agents(), session.rest.agents(), session.rest.agents()]);
  expect(asked.filter((each) => each.path === "/auth/session")).toHaveLength(1);
  expect(asked.filter((each) => each.path === "/agents" && each.token === "t2")).toHaveLength(3);
});

test("what a page asks before it has its token waits for it", async () => {
  const { asked, fetch } = server();
  localStorage.setItem("amtrio.self", JSON.stringify({ userId: "alice-id", username: "alice" }));
  const session = new Session("http://chat.test", fetch);
  await Promise.all([session.renew(), session.rest.agents(), session.rest.call("GET", "/auth/sessions")]);
  expect(asked.map(({ path, token }) => [path, token])).toEqual([
    ["/auth/session", undefined],
    ["/agents", "t1"],
    ["/auth/sessions", "t1"],
  ]);
});

test("a page that has no token yet signs out on the server as well", async () => {
  const { asked, fetch } = server();
  localStorage.setItem("amtrio.self", JSON.stringify({ userId: "alice-id", username: "alice" }));
  const session = new Session("http://chat.test", fetch);
  const ended = session.signOut();
  expect(session.self).toBeNull();
  await ended;
  expect(asked.map(({ path, token }) => [path, token])).toEqual([
    ["/auth/session", undefined],
    ["/auth/logout", "t1"],
  ]);
  expect([session.self, session.rest.token]).toEqual([null, undefined]);
});

test("a server that answers late that somebody has left takes nothing from who signed in since", async () => {
  const { fetch } = server();
  const asked: (AbortSignal | null | undefined)[] = [];
  const late = promised<Response>();
  const session = new Session("http://chat.test", (input, init) => {
    if (!String(input).endsWith("/auth/logout")) return fetch(input, init);
    asked.push(init?.signal);
    return late.promise;
  });
  await session.signIn("alice", "secret");
  const left = session.signOut();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  session.forget();
  // Its answer would take away the cookie, whosever that is by then.
  expect(asked[0]?.aborted).toBe(true);
  await session.signIn("alice", "secret");
  late.resolve(Response.json({}));
  await left;
  expect(session.rest.token).toBe("t2");
  expect(session.self).toEqual({ userId: "alice-id", username: "alice" });
});

test("a token that comes after the end of the session is not kept", async () => {
  const { fetch } = server();
  localStorage.setItem("amtrio.self", JSON.stringify({ userId: "alice-id", username: "alice" }));
  const session = new Session("http://chat.test", fetch);
  const renewed = session.renew();
  session.forget();
  expect(await renewed).toBe(false);
  expect([session.self, session.rest.token]).toEqual([null, undefined]);
});

test("what one person asked is not asked again with the token of the next", async () => {
  const { asked, fetch, expire } = server();
  const session = new Session("http://chat.test", async (input, init) => {
    const answer = await fetch(input, init);
    if (!String(input).endsWith("/push/devices")) return answer;
    // While it is on its way, one leaves and another one comes.
    session.forget();
    await session.signIn("bob", "secret");
    return answer;
  });
  await session.signIn("alice", "secret");
  expire();
  await expect(session.rest.call("PUT", "/push/devices", { body: {} })).rejects.toMatchObject({ status: 401 });
  expect(asked.filter((each) => each.path === "/push/devices")).toHaveLength(1);
});

test("a token that ran out is replaced for the list of sessions as well", async () => {
  const { fetch, expire } = server();
  const session = new Session("http://chat.test", fetch);
  await session.signIn("alice", "secret");
  expire();
  expect(await session.rest.call("GET", "/auth/sessions")).toEqual([]);
});

test("what nobody is signed in for is asked without a token", async () => {
  const { asked, fetch } = server();
  const session = new Session("http://chat.test", fetch);
  await expect(session.rest.agents()).rejects.toMatchObject({ status: 401 });
  await expect(session.options()).rejects.toMatchObject({ status: 401 });
  expect(asked.map(({ path }) => path)).toEqual(["/agents", "/auth/options"]);
});

test("a session that has ended is told as such, and not asked for in a circle", async () => {
  const { asked, fetch, expire } = server({ hasCookie: false });
  const session = new Session("http://chat.test", fetch);
  session.rest.token = "t0";
  expire();
  await expect(session.rest.agents()).rejects.toMatchObject({ status: 401 });
  expect(await session.renew()).toBe(false);
  expect(asked.length).toBe(3);
});

test("a server that is away is no session that has ended", async () => {
  const { fetch } = server({ isReachable: () => false });
  const session = new Session("http://chat.test", fetch);
  await expect(session.renew()).rejects.toThrow();
});

test("what somebody else wrote in place of a name counts as nobody", () => {
  localStorage.setItem("amtrio.self", "{not json");
  expect(new Session("http://chat.test").self).toBeNull();
  localStorage.setItem("amtrio.self", '{"userId": 5}');
  expect(new Session("http://chat.test").self).toBeNull();
});
