/** A server that answers as a test says, what it was asked, and views in front of it. */

import { Rest } from "@amtrio/client";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { ActionsProvider, type Actions } from "../../src/engine/actions.ts";
import { chat, EMPTY, type ChatState } from "../../src/engine/state.ts";

export interface Asked {
  /** `PATCH /admin/users/u1?x=1` */
  readonly what: string;
  readonly body: unknown;
}

/** By method and path; a value is the JSON of the answer. */
export type Answers = Readonly<Record<string, (asked: Asked) => unknown>>;

export interface FakeServer {
  readonly rest: Rest;
  readonly asked: Asked[];
  /** What was asked of one route, newest last. */
  of(what: string): Asked[];
}

export function fakeServer(answers: Answers): FakeServer {
  const asked: Asked[] = [];
  const fetch = async (address: unknown, init: RequestInit = {}): Promise<Response> => {
    init.signal?.throwIfAborted();
    const url = new URL(String(address));
    const what = `${init.method ?? "GET"} ${url.pathname}`;
    const one = { what: what + url.search, body: typeof init.body === "string" ? JSON.parse(init.body) : undefined };
    asked.push(one);
    const answer = answers[what];
    if (answer === undefined) throw new Error(`no answer for ${what}`);
    const given = await answer(one);
    return given instanceof Response ? given : Response.json(given);
  };
  const rest = new Rest({ url: "https://chat.example.org", token: "secret", fetch });
  return { rest, asked, of: (what) => asked.filter((one) => one.what.split("?")[0] === what) };
}

export function refusal(status: number, code: string, more: object = {}): Response {
  return Response.json({ error: `said by the server: ${code}`, code, retry: "no", ...more }, { status });
}

/** Of actions, those that a test is about. */
export function show(view: ReactNode, actions: Partial<Actions>, state: Partial<ChatState> = {}): void {
  chat.setState({ ...EMPTY, self: { userId: "u1", username: "alice" }, ...state }, true);
  render(<ActionsProvider value={actions as Actions}>{view}</ActionsProvider>);
}

