import { beforeEach, describe, expect, test, vi } from "vitest";
import { registerWorker, type WorkerListener } from "../../src/worker/register.ts";

/** A worker, as far as a page sees it. */
class Worker extends EventTarget {
  readonly told: unknown[] = [];
  state: ServiceWorkerState;
  constructor(state: ServiceWorkerState) {
    super();
    this.state = state;
  }
  postMessage(message: unknown): void {
    this.told.push(message);
  }
  becomes(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

class Registration extends EventTarget {
  installing: Worker | null = null;
  waiting: Worker | null = null;
  active: Worker | null = null;
  async update(): Promise<void> {}

  finds(): Worker {
    const found = new Worker("installing");
    this.installing = found;
    this.dispatchEvent(new Event("updatefound"));
    return found;
  }
}

class Container extends EventTarget {
  controller: Worker | null = null;
  readonly registered: string[] = [];
  readonly registration = new Registration();
  async register(url: string): Promise<Registration> {
    this.registered.push(url);
    return this.registration;
  }
}

describe("the page's side of the worker", () => {
  let container: Container;
  let reload: ReturnType<typeof vi.fn<() => void>>;
  let listener: { onUpdate: ReturnType<typeof vi.fn<WorkerListener["onUpdate"]>>; onOpen: ReturnType<typeof vi.fn<WorkerListener["onOpen"]>> };

  beforeEach(() => {
    container = new Container();
    reload = vi.fn<() => void>();
    listener = { onUpdate: vi.fn<WorkerListener["onUpdate"]>(), onOpen: vi.fn<WorkerListener["onOpen"]>() };
    Object.defineProperty(navigator, "serviceWorker", { value: container, configurable: true });
    vi.spyOn(location, "reload").mockImplementation(reload);
    return () => Reflect.deleteProperty(navigator, "serviceWorker");
  });
  const controlledBy = (worker: Worker): void => {
    container.controller = worker;
    container.dispatchEvent(new Event("controllerchange"));
  };
  /** A page that a worker of its own version answers for. */
  const usual = async (): Promise<void> => {
    container.controller = container.registration.active = new Worker("activated");
    await registerWorker(listener);
  };

  test("the first worker is no news", async () => {
    await registerWorker(listener);
    const first = container.registration.finds();
    first.becomes("installed");
    container.registration.active = first;
    controlledBy(first);

    expect(container.registered).toEqual(["/sw.js"]);
    expect(listener.onUpdate).not.toHaveBeenCalled();
    expect(reload).not.toHaveBeenCalled();
  });

  test("a new one is offered, also on a page that was open since before the first", async () => {
    await registerWorker(listener);
    const first = container.registration.finds();
    first.becomes("installed");
    container.registration.active = first;
    controlledBy(first);
    container.registration.finds().becomes("installed");

    expect(listener.onUpdate).toHaveBeenCalledTimes(1);
  });

  test("it takes over when the person says so, and then the page loads anew", async () => {
    await usual();
    const next = container.registration.finds();
    next.becomes("installed");
    expect(next.told).toEqual([]);

    listener.onUpdate.mock.calls[0]![0]();
    expect(next.told).toEqual([{ type: "activate" }]);
    expect(reload).not.toHaveBeenCalled();
    controlledBy(next);
    expect(reload).toHaveBeenCalledTimes(1);
  });

  test("one that waits since before the page was loaded is offered; one that was replaced meanwhile just reloads", async () => {
    const waiting = (container.registration.waiting = new Worker("installed"));
    await usual();
    waiting.becomes("redundant");

    listener.onUpdate.mock.calls[0]![0]();
    expect(waiting.told).toEqual([]);
    expect(reload).toHaveBeenCalledTimes(1);
  });

  test("a version that another tab took is offered, not forced", async () => {
    await usual();
    controlledBy(new Worker("activated"));

    expect(reload).not.toHaveBeenCalled();
    listener.onUpdate.mock.calls[0]![0]();
    expect(reload).toHaveBeenCalledTimes(1);
  });

  test("a clicked notification is heard, and whether somebody looks is answered", async () => {
    await usual();
    vi.spyOn(document, "hasFocus").mockReturnValue(true);
    history.replaceState(null, "", "/c/c1?m=m1");
    const answers: unknown[] = [];
    const ports = [{ postMessage: (answer: unknown) => answers.push(answer) }];
    const says = (data: object): boolean =>
      container.dispatchEvent(Object.assign(new Event("message"), { data, ports }));

    says({ type: "open", url: "/c/c2" });
    says({ type: "looking", conversationId: "c1" });
    says({ type: "looking", conversationId: "c2" });
    vi.spyOn(document, "hasFocus").mockReturnValue(false);
    says({ type: "looking", conversationId: "c1" });

    expect(listener.onOpen).toHaveBeenCalledExactlyOnceWith("/c/c2");
    expect(answers).toEqual([true, false, false]);
  });

  test("whether somebody looks is answered at any address, however it was typed", async () => {
    await usual();
    vi.spyOn(document, "hasFocus").mockReturnValue(true);
    const answers: unknown[] = [];
    const ports = [{ postMessage: (answer: unknown) => answers.push(answer) }];
    const looking = (conversationId: string): boolean =>
      container.dispatchEvent(Object.assign(new Event("message"), { data: { type: "looking", conversationId }, ports }));

    history.replaceState(null, "", "/c/100%");
    looking("c1");
    history.replaceState(null, "", "/c/c1/");
    looking("c1");

    expect(answers).toEqual([false, true]);
  });

  test("where there are no workers nothing happens", async () => {
    Reflect.deleteProperty(navigator, "serviceWorker");
    expect("serviceWorker" in navigator).toBe(false);
    await expect(registerWorker(listener)).resolves.toBeUndefined();
    expect(container.registered).toEqual([]);
  });
});
