import { Rest } from "@amtrio/client";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { closeNotices, disablePush, dropPush, enablePush, pushState, refreshPush } from "../../src/notifications/push.ts";

const KEY = "BAECAwQ"; // base64url of 4, 1, 2, 3, 4
const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

/** A browser's push service, as far as a page sees it. */
class PushService {
  current: Subscription | null = null;
  made = 0;
  getSubscription = async (): Promise<Subscription | null> => this.current;
  subscribe = async ({ applicationServerKey }: { applicationServerKey: string }): Promise<Subscription> => {
    this.made += 1;
    return (this.current = new Subscription(this, applicationServerKey, `https://push.example/${this.made}`));
  };
}

class Subscription {
  readonly options: { applicationServerKey: ArrayBuffer };
  readonly service: PushService;
  readonly endpoint: string;
  constructor(service: PushService, key: string, endpoint: string) {
    this.service = service;
    this.endpoint = endpoint;
    this.options = { applicationServerKey: bytes(key).buffer };
  }
  toJSON = (): object => ({ endpoint: this.endpoint, keys: { p256dh: "p", auth: "a" } });
  unsubscribe = async (): Promise<boolean> => {
    this.service.current = null;
    return true;
  };
}

interface Device {
  id: string;
  device_id: string;
  endpoint: string;
  can_withdraw: boolean;
}

/** The server's list of devices, spoken to over HTTP. */
class Devices {
  publicKey = KEY;
  isAway = false;
  all: Device[] = [];
  readonly fetch: typeof fetch = async (input, init) => {
    if (this.isAway) throw new TypeError("fetch failed");
    const { pathname } = new URL(String(input));
    const body = typeof init?.body === "string" ? (JSON.parse(init.body) as Device) : undefined;
    return Response.json(this.#answer(init?.method ?? "GET", pathname, body));
  };

  #answer(method: string, path: string, body: Device | undefined): unknown {
    if (path === "/push/vapid-key") return { public_key: this.publicKey };
    if (method === "DELETE") this.all = this.all.filter(({ id }) => path !== `/push/devices/${id}`);
    if (method === "PUT") {
      this.all = this.all.filter(({ device_id }) => device_id !== body!.device_id);
      this.all.push({ ...body!, id: `push_${this.all.length}` });
    }
    return this.all;
  }
}

describe("being told while no page is open", () => {
  let service: PushService;
  let devices: Devices;
  let rest: Rest;
  let asked: NotificationPermission;
  let notices: { tag: string; close(): void }[];

  beforeEach(() => {
    service = new PushService();
    devices = new Devices();
    rest = new Rest({ url: "http://server.example", token: "t", fetch: devices.fetch });
    asked = "granted";
    notices = [];
    const kept = new Map<string, Response>();
    const cache = { match: async (key: string) => kept.get(key)?.clone(), put: async (key: string, it: Response) => void kept.set(key, it) };
    vi.stubGlobal("caches", { open: async () => cache, delete: async () => kept.clear() });
    vi.stubGlobal("PushManager", PushService);
    const notification = {
      permission: "default",
      requestPermission: async () => (notification.permission = asked),
    };
    vi.stubGlobal("Notification", notification);
    const registration = {
      pushManager: service,
      getNotifications: async ({ tag }: { tag?: string }) => notices.filter((each) => tag === undefined || each.tag === tag),
    };
    const worker = { ready: Promise.resolve(registration), getRegistration: async () => registration };
    Object.defineProperty(navigator, "serviceWorker", { value: worker, configurable: true });
    return () => {
      vi.unstubAllGlobals();
      Reflect.deleteProperty(navigator, "serviceWorker");
    };
  });

  test("it is off until somebody wants it, and then the server knows the browser's address", async () => {
    expect(await pushState()).toBe("off");

    expect(await enablePush(rest)).toBe("on");

    expect(devices.all).toMatchObject([{ endpoint: "https://push.example/1", can_withdraw: true, keys: { p256dh: "p", auth: "a" } }]);
    expect(await pushState()).toBe("on");
  });

  test("who says no is not registered", async () => {
    asked = "denied";

    expect(await enablePush(rest)).toBe("denied");
    expect(devices.all).toEqual([]);
    expect(service.made).toBe(0);
  });

  test("switched off, neither the browser nor the server has anything left, and others' devices stay", async () => {
    devices.all.push({ id: "push_other", device_id: "phone", endpoint: "https://push.example/phone", can_withdraw: true });
    await enablePush(rest);

    await disablePush(rest);

    expect(await pushState()).toBe("off");
    expect(service.current).toBeNull();
    expect(devices.all.map(({ id }) => id)).toEqual(["push_other"]);
  });

  test("who signs out is told nothing more, also while the server is away", async () => {
    await enablePush(rest);
    notices = [{ tag: "conversation-c1", close: () => (notices = []) }];
    devices.isAway = true;

    await dropPush(rest);

    expect(service.current).toBeNull();
    expect(await pushState()).toBe("off");
    expect(notices).toEqual([]);
  });

  test("at each start it is registered for the login of today, under the same name", async () => {
    await refreshPush(rest);
    expect(devices.all).toEqual([]);
    await enablePush(rest);
    const [before] = devices.all;
    devices.all = [];

    await refreshPush(rest);

    expect(devices.all).toMatchObject([{ device_id: before!.device_id, endpoint: before!.endpoint }]);
    expect(service.made).toBe(1);
  });

  test("another key of the server is another subscription", async () => {
    await enablePush(rest);
    devices.publicKey = "BAUGBwg";

    await refreshPush(rest);

    expect(service.made).toBe(2);
    expect(devices.all).toMatchObject([{ endpoint: "https://push.example/2" }]);
  });

  test("where browsers insist on showing every push, nothing asks to be taken back", async () => {
    service.subscribe = async () => (service.current = new Subscription(service, KEY, "https://web.push.apple.com/x"));
    await enablePush(rest);

    expect(devices.all).toMatchObject([{ can_withdraw: false }]);
  });

  test("what was read is not shown any more", async () => {
    const closed: string[] = [];
    notices = ["c1", "c2"].map((id) => ({ tag: `conversation-${id}`, close: () => void closed.push(id) }));

    await closeNotices("c1");

    expect(closed).toEqual(["c1"]);
  });

  test("browsers that cannot say so, and iOS says how", async () => {
    vi.stubGlobal("PushManager", undefined);
    Reflect.deleteProperty(globalThis, "PushManager");
    expect(await pushState()).toBe("unsupported");

    Object.defineProperty(navigator, "standalone", { value: false, configurable: true });
    expect(await enablePush(rest)).toBe("install");
    Reflect.deleteProperty(navigator, "standalone");
  });
});
