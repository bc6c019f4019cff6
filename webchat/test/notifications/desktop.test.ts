import { beforeEach, expect, test, vi } from "vitest";
import { DesktopNotices, permission } from "../../src/notifications/desktop.ts";
import { FakeNotification, giveNotifications } from "./fake-browser.ts";

beforeEach(() => giveNotifications("granted"));

const notice = { conversationId: "c1", messageId: "m7", seq: 7, title: "Coder", body: "Done" };

test("a notice takes the place of the one before of its conversation, also of one that was pushed", () => {
  new DesktopNotices(() => undefined).show(notice);
  expect(FakeNotification.shown[0]).toMatchObject({
    title: "Coder",
    options: { body: "Done", tag: "conversation-c1", silent: true },
  });
});

test("a click closes it and leads to its message", () => {
  const clicked = vi.fn<(clicked: unknown) => void>();
  new DesktopNotices(clicked).show(notice);
  FakeNotification.shown[0]!.dispatchEvent(new Event("click"));
  expect(clicked).toHaveBeenCalledExactlyOnceWith(notice);
  expect(FakeNotification.shown[0]!.isClosed).toBe(true);
});

test("it goes once its message was read anywhere, or its conversation is gone", () => {
  const notices = new DesktopNotices(() => undefined);
  notices.show(notice);
  notices.close(() => 6);
  expect(FakeNotification.shown[0]!.isClosed).toBe(false);
  notices.close(() => 7);
  expect(FakeNotification.shown[0]!.isClosed).toBe(true);
  notices.show(notice);
  notices.close(() => undefined);
  expect(FakeNotification.shown[1]!.isClosed).toBe(true);
});

test("without permission, or where pages may not, nothing is shown and nothing breaks", () => {
  FakeNotification.permission = "denied";
  new DesktopNotices(() => undefined).show(notice);
  expect(FakeNotification.shown).toEqual([]);
  vi.stubGlobal("Notification", undefined);
  expect(permission()).toBe("unsupported");
  const android = Object.assign(
    function () {
      throw new TypeError("Illegal constructor");
    },
    { permission: "granted" },
  );
  vi.stubGlobal("Notification", android);
  expect(() => new DesktopNotices(() => undefined).show(notice)).not.toThrow();
});
