import { act, screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { NotificationSettings } from "../../src/notifications/notification-settings.tsx";
import { preferences } from "../../src/notifications/preferences.ts";
import { seed, show } from "../shell/seed.tsx";
import { FakeNotification, giveNotifications } from "./fake-browser.ts";

let asked: [method: string, path: string, body?: unknown][];
let quiet: object;

beforeEach(() => {
  seed();
  asked = [];
  quiet = { muted_until: null, quiet_from: null, quiet_to: null, time_zone: null };
});

function settings(): void {
  const call = async (method: string, path: string, { body }: { body?: object } = {}): Promise<object> => {
    if (path !== "/notifications/preferences") return {};
    asked.push(body === undefined ? [method, path] : [method, path, body]);
    quiet = { ...quiet, ...body };
    return quiet;
  };
  show(<NotificationSettings />, { rest: { call } as never });
}

const DESKTOP = /while the page is in the background/;

test("the browser is asked for permission by a click only, and the switch stays off without it", async () => {
  giveNotifications("default");
  settings();
  const desktop = screen.getByRole("switch", { name: DESKTOP });
  expect(screen.getByText("Your browser will ask whether amtrio may show notifications.")).toBeTruthy();
  expect(FakeNotification.permission).toBe("default");
  await userEvent.click(desktop);
  expect(preferences().desktop).toBe(true);
  expect(desktop).toHaveProperty("checked", true);
});

test("what the browser has refused can not be switched on, and the reason is told", () => {
  giveNotifications("denied");
  settings();
  expect(screen.getByRole("switch", { name: DESKTOP })).toHaveProperty("disabled", true);
  expect(screen.getByText(/does not let amtrio show notifications\. You can allow it/)).toBeTruthy();
});

test("the sound of this device is switched here", async () => {
  giveNotifications("granted");
  settings();
  await userEvent.click(screen.getByRole("switch", { name: /Sound/ }));
  expect(preferences().sound).toBe(false);
});

test("quiet hours are the account's: asked of the server, and changed there with their zone", async () => {
  giveNotifications("granted");
  settings();
  expect(asked).toEqual([["GET", "/notifications/preferences"]]);
  await userEvent.click(screen.getByRole("switch", { name: /Quiet hours/ }));
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  expect(asked.at(-1)).toEqual(["PUT", "/notifications/preferences", { quiet_from: "22:00", quiet_to: "07:00", time_zone: zone }]);
  expect(await screen.findByLabelText("From")).toHaveProperty("value", "22:00");
});

test("without a connection the account's part waits, and says so", async () => {
  giveNotifications("granted");
  settings();
  act(() => seed({ link: { kind: "offline", reason: "", retryAt: 0 } }));
  await waitFor(() => expect(screen.getByRole("switch", { name: /Pause everything/ })).toHaveProperty("disabled", true));
  expect(screen.getByText("These can be changed once you are connected again.")).toBeTruthy();
});
