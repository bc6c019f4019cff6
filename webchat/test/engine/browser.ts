/** One browser with a server behind it, both played: whose cookie it keeps, what was asked, which sockets were opened. */

import { vi } from "vitest";
import { FakeServer, type FakeSocket } from "../../sdk/test/fake-server.ts";
import { Engine } from "../../src/engine/engine.ts";
import { chat, EMPTY } from "../../src/engine/state.ts";
import type { TabNews } from "../../src/engine/tabs.ts";
import { Locks } from "./locks.ts";

export const URL_OF_SERVER = "http://chat.test";
export const SELF_KEY = "amtrio.self";

export class Browser {
  readonly server = new FakeServer();
  /** Whose session the cookie keeps. */
  cookie: string | undefined;
  /** Answers that a test gives itself, once each, by path. */
  readonly held = new Map<string, Promise<unknown>>();
  readonly asked: string[] = [];
  /** Who hears what other tabs say. */
  readonly listeners = new Set<unknown>();
  readonly #tabs = new Set<EventTarget>();

  constructor() {
    chat.setState(EMPTY);
    vi.stubGlobal("WebSocket", this.server.WebSocket);
    vi.stubGlobal("fetch", this.fetch);
    Object.defineProperty(navigator, "locks", { value: new Locks(), configurable: true });
    const [tabs, listeners] = [this.#tabs, this.listeners];
    // Tabs of one test only, heard at once.
    class Channel extends EventTarget {
      constructor() {
        super();
        tabs.add(this);
      }

      override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
        listeners.add(args[1]);
        super.addEventListener(...args);
      }

      override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
        listeners.delete(args[1]);
        super.removeEventListener(...args);
      }

      postMessage(): void {}

      close(): void {
        tabs.delete(this);
      }
    }
    vi.stubGlobal("BroadcastChannel", Channel);
  }

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(String(input));
    this.asked.push(`${init.method ?? "GET"} ${pathname}`);
    const token = new Headers(init.headers).get("Authorization")?.replace("Bearer ", "");
    const held = this.held.get(pathname);
    this.held.delete(pathname);
    // Made after all that the log told.
    if (held !== undefined) return Response.json(await held, { headers: { "X-Amtrio-Seq": "999" } });
    if (pathname === "/auth/login") this.cookie = (JSON.parse(String(init.body)) as { username: string }).username;
    if (pathname === "/auth/session" || pathname === "/auth/login") {
      const id = this.cookie;
      if (id === undefined) return Response.json({ error: "no", code: "unauthorized" }, { status: 401 });
      return Response.json({ token: `token of ${id}`, user_id: id, username: id, session_id: id, expires_at: null });
    }
    if (pathname === "/snapshot") return Response.json({ epoch: "ep", seq: 1, conversations: [], next: null });
    if (pathname === "/account") return Response.json({ user_id: token?.replace("token of ", "") });
    return Response.json([]);
  };

  /** Somebody is signed in, and opens the page. */
  async open(userId: string): Promise<Engine> {
    this.isNow(userId);
    const engine = new Engine(URL_OF_SERVER, this.fetch);
    await engine.start();
    return engine;
  }

  /** As another tab leaves it: cookie and name. */
  isNow(userId: string): void {
    this.cookie = userId;
    localStorage.setItem(SELF_KEY, JSON.stringify({ userId, username: userId }));
  }

  /** What another tab says. */
  says(news: TabNews): void {
    for (const tab of this.#tabs) tab.dispatchEvent(new MessageEvent("message", { data: news }));
  }

  /** The socket with this number, counted from one, once it has said who it is. */
  async socket(number: number): Promise<FakeSocket> {
    await vi.waitFor(() => {
      if (this.server.sockets.length < number) throw new Error(`there are ${this.server.sockets.length} sockets`);
    });
    return this.server.sockets[number - 1]!;
  }

  close(): void {
    Reflect.deleteProperty(navigator, "locks");
    vi.unstubAllGlobals();
  }
}
