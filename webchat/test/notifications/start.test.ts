import type { Rest } from "@amtrio/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { arrivals, quietChanges } from "../../src/engine/arrivals.ts";
import { heardTime } from "../../src/engine/server-clock.ts";
import { chat } from "../../src/engine/state.ts";
import { FOR_EVER } from "../../src/notifications/muted.ts";
import { changePreferences } from "../../src/notifications/preferences.ts";
import { NEVER_QUIET } from "../../src/notifications/quiet-hours.ts";
import { quietPreferences } from "../../src/notifications/server-preferences.ts";
import { startNotifications } from "../../src/notifications/start.ts";
import { byId, conversation, goTo, iso, message, seed } from "../shell/seed.tsx";
import { FakeNotification, giveNotifications, giveSound } from "./fake-browser.ts";

let stop: () => void;
let played: () => number;
let visited: string[];
let quiet: object;

/** Tones are two seconds apart; each test has minutes of its own. */
let minutes = Date.now();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: (minutes += 3_600_000) });
  giveNotifications("granted");
  // Then this tab speaks for itself, from the first moment on.
  Object.defineProperty(navigator, "locks", { value: undefined, configurable: true });
  ({ played } = giveSound());
  visited = [];
  quiet = {};
  goTo("/c/c2");
  seed({ conversations: byId(conversation("c1", { title: "Build" }), conversation("c2")) });
  changePreferences({ desktop: true });
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

function start(isWatching: boolean): void {
  vi.spyOn(document, "hasFocus").mockReturnValue(isWatching);
  const rest = { call: async () => quiet } as unknown as Rest;
  stop = startNotifications(chat, (place) => visited.push(place), rest);
  dispatchEvent(new Event("pointerdown"));
}

function arrive(more: Parameters<typeof message>[1] = {}): void {
  arrivals.tell(message("m7", { created_at: iso(Date.now()), content: "**Done**", ...more }));
}

test("a clock that is hours off keeps nobody from being told", () => {
  start(true);
  heardTime(iso(Date.now() - 3_600_000));
  arrive({ created_at: iso(Date.now() - 3_600_000) });
  expect(played()).toBe(1);
  heardTime(iso(Date.now()));
});

test("while another chat is looked at there is a sound, and nothing on the desktop", () => {
  start(true);
  arrive();
  expect(played()).toBe(1);
  expect(FakeNotification.shown).toEqual([]);
});

test("for the chat that is open and focused there is neither", () => {
  start(true);
  arrive({ conversation_id: "c2" });
  expect(played()).toBe(0);
});

test("what another device says about being left alone holds here at once", () => {
  start(true);
  quietChanges.tell({ muted_until: FOR_EVER, quiet_from: null, quiet_to: null });
  arrive();
  expect(played()).toBe(0);
  quietChanges.tell({ muted_until: null, quiet_from: null, quiet_to: null });
  arrive();
  expect(played()).toBe(1);
});

test("out of sight there is a notice, whose click leads to the message and which goes when it is read", () => {
  start(false);
  arrive();
  const [shown] = FakeNotification.shown;
  expect(shown).toMatchObject({ title: "Build", options: { body: "Done" } });
  shown!.dispatchEvent(new Event("click"));
  expect(visited).toEqual(["/c/c1?m=m7"]);

  arrive();
  chat.setState({ conversations: byId(conversation("c1", { readUpTo: 5 })) });
  expect(FakeNotification.shown.at(-1)!.isClosed).toBe(true);
});

test("without preview, and for what this device cannot read, it says that there is something new", () => {
  start(false);
  arrive({ kind: "encrypted", content: "QUJD" });
  expect(FakeNotification.shown[0]!.options.body).toBe("New message");
  changePreferences({ preview: false });
  arrive();
  expect(FakeNotification.shown.at(-1)!.options.body).toBe("New message");
});

test("an encrypted message that brings files alone says so, once this device has read it", () => {
  const files = [{ attachment_id: "a1", filename: "encrypted", content_type: "application/octet-stream", size: 1, url: "", created_at: "" }];
  start(false);
  arrive({ kind: "encrypted", content: "QUJD", attachments: files });
  expect(FakeNotification.shown.at(-1)!.options.body).toBe("New message");
  chat.setState({ plain: { m2: "" } });
  arrive({ message_id: "m2", kind: "encrypted", content: "QUJD", attachments: files });
  expect(FakeNotification.shown.at(-1)!.options.body).toBe("A file");
});

test("sound and notices can be turned off on this device", () => {
  changePreferences({ sound: false, desktop: false });
  start(false);
  arrive();
  expect([played(), FakeNotification.shown.length]).toEqual([0, 0]);
});

test("what the account has paused on another device is quiet here, too", async () => {
  quiet = { muted_until: "9999-12-31T23:59:59.999Z" };
  start(true);
  await vi.waitFor(() => expect(localStorage.getItem("amtrio.quiet")).toContain("9999"));
  arrive();
  expect(played()).toBe(0);
});

test("what one person chose about being left alone is nothing for the next one in this browser", async () => {
  quiet = { muted_until: FOR_EVER };
  start(true);
  await vi.waitFor(() => expect(quietPreferences().muted_until).toBe(FOR_EVER));
  const kept = localStorage.getItem("amtrio.quiet")!;
  stop();
  expect(localStorage.getItem("amtrio.quiet")).toBeNull();
  // The first one's page may have gone without an end.
  localStorage.setItem("amtrio.quiet", kept);
  chat.setState({ self: { userId: "somebody else", username: "somebody else" }, link: { kind: "offline", reason: "", retryAt: 0 } });
  start(true);
  expect(quietPreferences()).toEqual(NEVER_QUIET);
});
