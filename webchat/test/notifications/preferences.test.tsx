import { act, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { changePreferences, preferences, usePreferences } from "../../src/notifications/preferences.ts";

test("a device makes a sound and asks nobody for more, until it is told otherwise", () => {
  expect(preferences()).toEqual({ sound: true, desktop: false, preview: true });
  changePreferences({ sound: false });
  expect(preferences()).toEqual({ sound: false, desktop: false, preview: true });
});

test.each(["nonsense", "null", "[]", '{"sound": "yes"}'])("stored %s counts as nothing", (stored) => {
  localStorage.setItem("amtrio.notifications", stored);
  expect(preferences()).toEqual({ sound: true, desktop: false, preview: true });
});

function View() {
  return <p>{usePreferences().sound ? "loud" : "quiet"}</p>;
}

test("views follow, also what another tab changes", () => {
  render(<View />);
  act(() => changePreferences({ sound: false }));
  expect(screen.getByText("quiet")).toBeTruthy();
  localStorage.setItem("amtrio.notifications", '{"sound": true}');
  act(() => void dispatchEvent(new Event("storage")));
  expect(screen.getByText("loud")).toBeTruthy();
});
