import { afterEach, expect, test } from "vitest";
import { hideInvitation, invitationIn, invitationInAddress } from "../../src/welcome/invitation.ts";

afterEach(() => history.replaceState(null, "", "/"));

test.each([
  ["inv_Ab-9_x", "inv_Ab-9_x"],
  ["  https://chat.example.org/#/join/inv_abc  ", "inv_abc"],
  ["<https://chat.example.org/#/join/inv_abc>.", "inv_abc"],
  ["https://chat.example.org/", undefined],
  ["", undefined],
])("in %j the invitation is %s", (text, expected) => {
  expect(invitationIn(text)).toBe(expected);
});

test("the address says which invitation it is; the rest of the address stays when that is hidden", () => {
  history.replaceState(null, "", "/c/1?m=2#/join/inv_abc");
  expect(invitationInAddress()).toBe("inv_abc");
  hideInvitation();
  expect(location.pathname + location.search + location.hash).toBe("/c/1?m=2");
  expect(invitationInAddress()).toBeUndefined();
});

test("what is no token is left to the server to refuse, and breaks nothing", () => {
  history.replaceState(null, "", "/#/join/%E0%A4%A");
  expect(invitationInAddress()).toBe("%E0%A4%A");
});

test("other fragments are left alone", () => {
  history.replaceState(null, "", "/#licences");
  hideInvitation();
  expect(location.hash).toBe("#licences");
});
