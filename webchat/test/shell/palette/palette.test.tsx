import { fireEvent, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { Palette } from "../../../src/shell/palette/palette.tsx";
import { recent } from "../../../src/shell/palette/recent.ts";
import { agent, byId, conversation, goTo, seed, show } from "../seed.tsx";

beforeEach(() => {
  goTo("/");
  seed({
    conversations: byId(
      conversation("c1", { title: "Holiday plans", unread: 2, lastSeq: 9 }),
      conversation("c2", { title: "Thesis" }),
    ),
  });
});

function selected(): string {
  return screen.getByRole("option", { selected: true }).textContent!;
}

test("three letters and Enter open a chat, and it is remembered", async () => {
  const close = vi.fn<() => void>();
  show(<Palette onClose={close} />);
  expect(document.activeElement).toBe(screen.getByRole("combobox"));
  await userEvent.keyboard("the{Enter}");
  expect(location.pathname).toBe("/c/c2");
  expect(close).toHaveBeenCalledOnce();
  expect(recent()).toEqual(["chat:c2"]);
});

test("the active option is told to the field, and arrows come round", async () => {
  show(<Palette onClose={() => undefined} />);
  const field = screen.getByRole("combobox");
  await userEvent.keyboard("holiday");
  expect(selected()).toContain("Holiday plans");
  await userEvent.keyboard("{ArrowDown}");
  expect(selected()).toBe("Search messages for “holiday”");
  expect(field.getAttribute("aria-activedescendant")).toBe(screen.getByRole("option", { selected: true }).id);
  await userEvent.keyboard("{ArrowDown}");
  expect(selected()).toContain("Holiday plans");
});

test("Enter during a composition chooses nothing, also where the browser tells of it late", () => {
  const close = vi.fn<() => void>();
  show(<Palette onClose={close} />);
  fireEvent.keyDown(screen.getByRole("combobox"), { key: "Enter", isComposing: true });
  fireEvent.keyDown(screen.getByRole("combobox"), { key: "Enter", keyCode: 229 });
  expect(close).not.toHaveBeenCalled();
});

test("what is no name can be looked for in messages", async () => {
  show(<Palette onClose={() => undefined} />);
  await userEvent.keyboard("xyzzy plugh{Enter}");
  expect(location.pathname + location.search).toBe("/find?q=xyzzy%20plugh");
  expect(recent()).toEqual([]);
});

test("commands do what they say", async () => {
  const { asked } = show(<Palette onClose={() => undefined} />);
  await userEvent.keyboard("mark all{Enter}");
  expect(asked).toEqual([["markRead", "c1", 9]]);
});

test("an agent opens its chat", async () => {
  show(<Palette onClose={() => undefined} />, { openConversation: async () => "c7" });
  await userEvent.click(screen.getByRole("option", { name: /Coder\s*Agent/ }));
  await vi.waitFor(() => expect(location.pathname).toBe("/c/c7"));
});

test("the chat that one is in comes last without a query, so that Enter leads somewhere", async () => {
  goTo("/c/c1");
  show(<Palette onClose={() => undefined} />);
  const options = screen.getAllByRole("option");
  expect(options[0]!.textContent).toContain("Thesis");
  // And the agent, whose chat it is.
  expect(options.slice(-2).map((each) => each.textContent)).toEqual(["CHoliday plansChat", "CCoderAgent"]);
  await userEvent.keyboard("{Enter}");
  expect(location.pathname).toBe("/c/c2");
});

test("an agent and the chat that bears its name are one entry, found by what it is good at, too", async () => {
  seed({
    agents: { coder: agent("coder", { name: "Coder" }), cook: agent("cook", { name: "Cook", specialty: "soups" }) },
    conversations: byId(
      conversation("c1"),
      conversation("c2", { title: "Thesis", is_default: false }),
      conversation("c3", { agent_id: "cook" }),
    ),
  });
  show(<Palette onClose={() => undefined} />);
  expect(screen.getAllByRole("option", { name: /^C?Coder/ })).toHaveLength(1);
  expect(screen.getAllByRole("option", { name: /Cook/ })).toHaveLength(1);
  await userEvent.keyboard("soups{Enter}");
  expect(location.pathname).toBe("/c/c3");
});

test("the administration is offered to administrators alone", () => {
  show(<Palette onClose={() => undefined} />);
  expect(screen.queryByRole("option", { name: /Administration/ })).toBeNull();
});

test("whoever administers gets to the place where agents are connected", async () => {
  seed({ account: { is_admin: true } as never });
  show(<Palette onClose={() => undefined} />);
  await userEvent.keyboard("connect an agent{Enter}");
  expect(location.pathname).toBe("/manage/agents");
});
