import { afterEach, expect, test, vi } from "vitest";
import { pageHints } from "../src/index.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("there are none where there is no page", () => {
  expect(pageHints()).toBeUndefined();
});

test("a page says what becomes of the network and of whoever looks, until one stops listening", () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const frame = new EventTarget();
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", frame);
  const hints = pageHints()!;
  const heard: string[] = [];
  const stop = hints.listen((hint) => heard.push(hint));

  expect(hints.isSeen()).toBe(true);
  frame.dispatchEvent(new Event("offline"));
  frame.dispatchEvent(new Event("online"));
  page.visibilityState = "hidden";
  page.dispatchEvent(new Event("visibilitychange"));
  page.visibilityState = "visible";
  frame.dispatchEvent(new Event("pageshow"));
  stop();
  frame.dispatchEvent(new Event("online"));

  expect(heard).toEqual(["no_network", "network", "unseen", "seen"]);
});
