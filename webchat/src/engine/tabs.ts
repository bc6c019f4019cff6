/**
 * Several tabs of one account: who does what only one of them may do, and what they tell each other.
 *
 * Each tab has a socket of its own, under a device id of its own: none depends on another that the browser has put to
 * sleep, and the server keeps all of them alike. Without Web Locks (pages on plain http) every tab acts as if alone;
 * what then happens twice is done once by the server, which knows client ids.
 */

const CHANNEL = "amtrio";
const DEVICE_KEY = "amtrio.device";
// More tabs than anybody has; each is a device with a place of its own on the server.
const SLOTS = 32;

/** What tabs tell each other. */
export type TabNews =
  | { readonly kind: "outbox"; readonly userId: string }
  | { readonly kind: "draft"; readonly userId: string; readonly conversationId: string; readonly text: string }
  | { readonly kind: "signed_out"; readonly userId: string }
  | { readonly kind: "signed_in"; readonly userId: string };

export class Tabs {
  readonly #channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(CHANNEL);

  /** The other tabs hear it; this one does not. */
  tell(news: TabNews): void {
    this.#channel?.postMessage(news);
  }

  listen(listener: (news: TabNews) => void): () => void {
    const heard = (event: MessageEvent<TabNews>): void => listener(event.data);
    this.#channel?.addEventListener("message", heard);
    return () => this.#channel?.removeEventListener("message", heard);
  }

  close(): void {
    this.#channel?.close();
  }
}

const queues = new Map<string, Promise<unknown>>();

/** Do it while no other tab does something under the same name. */
export function alone<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  // Not on plain http, where the types do not say that it is missing.
  const locks = navigator.locks as LockManager | null | undefined;
  if (locks) return locks.request(`amtrio ${name}`, work) as Promise<Result>;
  const before = queues.get(name) ?? Promise.resolve();
  const result = before.then(work, work);
  queues.set(
    name,
    result.catch(() => undefined),
  );
  return result;
}

/**
 * The id of this tab as a device: the same again after a reload and for who signs in next, never that of another open tab.
 *
 * Held from when it is taken until it is given back, or the page goes.
 */
export class DeviceId {
  readonly #isGivenBack: Promise<void>;
  readonly #locks: Promise<unknown>[] = [];
  #free!: () => void;

  constructor() {
    this.#isGivenBack = new Promise((resolve) => (this.#free = resolve));
  }

  async take(): Promise<string> {
    const browser = localStorage.getItem(DEVICE_KEY) ?? randomId();
    localStorage.setItem(DEVICE_KEY, browser);
    const locks = navigator.locks as LockManager | null | undefined;
    if (!locks) {
      const tab = sessionStorage.getItem(DEVICE_KEY) ?? randomId();
      sessionStorage.setItem(DEVICE_KEY, tab);
      return `web-${browser}-${tab}`;
    }
    for (let slot = 1; slot < SLOTS; slot += 1) {
      if (await this.#hold(locks, `amtrio device ${slot}`)) return `web-${browser}-${slot}`;
    }
    return `web-${browser}-${randomId()}`;
  }

  /** Another one, where the browser has given ours to a copy of this tab. The one before stays held, or it would come again. */
  takeAnother(): Promise<string> {
    sessionStorage.removeItem(DEVICE_KEY);
    return this.take();
  }

  /** Resolves when it is there for the next one. What is taken from now on is given back at once. */
  async giveBack(): Promise<void> {
    this.#free();
    await Promise.allSettled(this.#locks);
  }

  #hold(locks: LockManager, name: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const lock = locks.request(name, { ifAvailable: true }, (granted) => {
        resolve(granted !== null);
        return granted === null ? undefined : this.#isGivenBack;
      });
      lock.catch(reject);
      this.#locks.push(lock);
    });
  }
}

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
