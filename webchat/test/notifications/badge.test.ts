import { expect, test, vi } from "vitest";
import { chat } from "../../src/engine/state.ts";
import { keepBadge } from "../../src/notifications/badge.ts";
import { byId, conversation, seed } from "../shell/seed.tsx";

test("the icon says how much is unread, and nothing once it was read, here or elsewhere", () => {
  const told: (number | "cleared")[] = [];
  Object.assign(navigator, {
    setAppBadge: async (count: number) => void told.push(count),
    clearAppBadge: async () => void told.push("cleared"),
  });
  vi.spyOn(navigator, "setAppBadge");
  seed({ conversations: byId(conversation("c1", { unread: 2 })) });
  const stop = keepBadge(chat);
  chat.setState({ conversations: byId(conversation("c1", { unread: 3 })) });
  chat.setState({ drafts: { c1: "typing changes nothing" } });
  chat.setState({ conversations: byId(conversation("c1")) });
  stop();
  chat.setState({ conversations: byId(conversation("c1", { unread: 9 })) });
  expect(told).toEqual([2, 3, "cleared"]);
});
