import { fireEvent, screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { NewChat } from "../../../src/shell/sidebar/new-chat.tsx";
import { agent, byId, conversation, goTo, seed, show } from "../seed.tsx";

beforeEach(() => {
  goTo("/");
  seed({ agents: { coder: agent("coder", { name: "Coder", status_text: "building" }), cook: agent("cook", { name: "Cook", online: false }) } });
});

const opens = { openConversation: async () => "c9" };

test("agents are shown with what they do right now, and asked for anew", () => {
  const { asked } = show(<NewChat onClose={() => undefined} />, opens);
  expect(screen.getAllByRole("listitem").map((each) => each.textContent)).toEqual(["CCoderonline · building New chat", "CCookoffline New chat"]);
  expect(asked).toEqual([["refreshAgents"]]);
});

test("typing and Enter open the chat of the agent that fits", async () => {
  const close = vi.fn<() => void>();
  const { asked } = show(<NewChat onClose={close} />, opens);
  await userEvent.keyboard("cook{Enter}");
  expect(asked.at(-1)).toEqual(["openConversation", "cook"]);
  await vi.waitFor(() => expect(location.pathname).toBe("/c/c9"));
  expect(close).toHaveBeenCalledOnce();
});

test("Enter during a composition opens nothing", () => {
  const { asked } = show(<NewChat onClose={() => undefined} />, opens);
  const field = screen.getByRole("searchbox");
  fireEvent.keyDown(field, { key: "Enter", isComposing: true });
  fireEvent.keyDown(field, { key: "Enter", keyCode: 229 });
  expect(asked.filter(([name]) => name === "openConversation")).toEqual([]);
});

test("arrows walk from the field through the agents and back", async () => {
  show(<NewChat onClose={() => undefined} />, opens);
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}");
  expect(document.activeElement!.textContent).toContain("Cook");
  await userEvent.keyboard("{ArrowUp}{ArrowUp}");
  expect(document.activeElement).toBe(screen.getByRole("searchbox"));
});

test("another chat with an agent begins by one click, and needs no title", async () => {
  seed({ agents: { coder: agent("coder", { name: "Coder" }) }, conversations: byId(conversation("c1")) });
  const { asked } = show(<NewChat onClose={() => undefined} />, opens);
  await userEvent.click(screen.getByRole("button", { name: "New chat with Coder" }));
  expect(asked.at(-1)).toEqual(["openConversation", "coder", "New chat"]);
  await vi.waitFor(() => expect(location.pathname).toBe("/c/c9"));
});

test("a click that is made twice begins one chat", async () => {
  const { asked } = show(<NewChat onClose={() => undefined} />, { openConversation: () => new Promise(() => undefined) });
  await userEvent.dblClick(screen.getByRole("button", { name: "New chat with Coder" }));
  expect(asked.filter(([name]) => name === "openConversation")).toHaveLength(1);
});

test("a server without agents, and a name that nobody has, are told apart", async () => {
  show(<NewChat onClose={() => undefined} />, opens);
  await userEvent.keyboard("nobody");
  expect(screen.getByText("No agent is called “nobody”.")).toBeTruthy();
});
