import type { Account, AgentInfo } from "@amtrio/client";
import { act, cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { Actions } from "../../src/engine/actions.ts";
import { chat, type Self } from "../../src/engine/state.ts";
import { forgetLastMade } from "../../src/welcome/last-made.ts";
import { Onboarding } from "../../src/welcome/onboarding.tsx";
import { fakeServer, refusal, show, type Answers } from "../settings/fake-server.tsx";

const ALICE: Self = { userId: "u1", username: "alice" };
const ADMIN = { is_admin: true } as Account;
const AGENTS: Record<string, AgentInfo> = {
  away: { agent_id: "away", name: "Away", online: false },
  coder: { agent_id: "coder", name: "Coder", online: true, specialty: "writes code" },
  demo: { agent_id: "demo", name: "Demo", online: true, description: "Shows what there is." },
};

interface Scene {
  readonly answers?: Answers;
  readonly account?: Account;
  readonly agents?: Record<string, AgentInfo>;
  readonly openConversation?: Actions["openConversation"];
  readonly self?: Self;
}

function arrive({ answers = {}, account, agents = AGENTS, openConversation, self = ALICE }: Scene = {}) {
  const server = fakeServer(answers);
  const refreshAgents = vi.fn<Actions["refreshAgents"]>(async () => []);
  show(
    <Onboarding />,
    { rest: server.rest, refreshAgents, openConversation: openConversation ?? (async (id) => `conv-${id}`) },
    { agents, account, self },
  );
  return { server, refreshAgents, user: userEvent.setup() };
}

afterEach(() => {
  vi.useRealTimers();
  forgetLastMade();
  history.replaceState(null, "", "/");
});

test("it greets by name, and lists the demo agent first and those who are away last", () => {
  arrive();
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Hello, alice!");
  const names = screen.getAllByRole("listitem").map((item) => within(item).getByRole("strong").textContent);
  expect(names).toEqual(["Demo", "Coder", "Away"]);
});

test("saying hello opens the chat with that agent", async () => {
  const { user } = arrive();
  await user.click(screen.getByRole("button", { name: "Say hello to Demo" }));
  expect(location.pathname).toBe("/c/conv-demo");
});

test("a chat that cannot be opened says why", async () => {
  const { user } = arrive({
    openConversation: async () => {
      throw new Error("no room left");
    },
  });
  await user.click(screen.getByRole("button", { name: "Say hello to Coder" }));
  expect((await screen.findByRole("alert")).textContent).toBe("no room left");
});

test("whoever may not make agents is told whom to ask, and offered nothing that would fail", () => {
  arrive({ agents: {} });
  expect(screen.getByText(/whoever runs this server/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Connect an agent" })).toBeNull();
});

test("an administrator makes an agent and gets commands that hold its credential, the server and the id", async () => {
  const { server, user } = arrive({
    account: ADMIN,
    answers: { "POST /admin/agents": () => ({ agent_id: "my-helper", token: "agt_secret" }) },
  });
  await user.click(screen.getByRole("button", { name: "Connect an agent" }));
  await user.type(screen.getByLabelText("What people see"), "My Helper{Enter}");

  const command = await screen.findByRole("group", { name: "Command" });
  expect(server.asked).toEqual([{ what: "POST /admin/agents", body: { agent_id: "my-helper", name: "My Helper" } }]);
  expect(command.textContent).toContain("AMTRIO_AGENT_TOKEN=agt_secret");
  expect(command.textContent).toContain("AMTRIO_AGENT_ID=my-helper");
  expect(command.textContent).toContain("AMTRIO_URL=https://chat.example.org");
  expect(command.textContent).toContain("amtrio bridge openai");
  await user.click(screen.getByRole("radio", { name: "Script" }));
  expect(screen.getByRole("group", { name: "Command" }).textContent).toContain("amtrio bridge command");
  await user.click(screen.getByRole("radio", { name: "Python" }));
  expect(screen.getByRole("group", { name: "agent.py" }).textContent).toContain('token="agt_secret"');
});

test("it says when the agent has come, and leads to its chat", async () => {
  const { user } = arrive({ account: ADMIN, answers: { "POST /admin/agents": () => ({ token: "agt_x" }) } });
  await user.click(screen.getByRole("button", { name: "Connect an agent" }));
  await user.type(screen.getByLabelText("What people see"), "Helper{Enter}");
  expect((await screen.findByText(/Waiting for Helper/)).closest("[role=status]")).not.toBeNull();

  act(() => chat.setState({ agents: { helper: { agent_id: "helper", name: "Helper", online: true } } }));
  expect(screen.getByText("Helper is connected!")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Open the chat" }));
  expect(location.pathname).toBe("/c/conv-helper");
});

test("the commands are still there when the view is made anew, until the agent has come, and for nobody else", async () => {
  const scene = { account: ADMIN, answers: { "POST /admin/agents": () => ({ token: "agt_x" }) } };
  const { user } = arrive(scene);
  await user.click(screen.getByRole("button", { name: "Connect an agent" }));
  await user.type(screen.getByLabelText("What people see"), "Helper{Enter}");
  await screen.findByText(/Waiting for Helper/);
  cleanup();
  arrive(scene);
  expect(screen.getByRole("group", { name: "Command" }).textContent).toContain("AMTRIO_AGENT_TOKEN=agt_x");
  cleanup();
  arrive({ ...scene, self: { userId: "u2", username: "bob" } });
  expect(screen.queryByRole("group", { name: "Command" })).toBeNull();
  cleanup();

  arrive(scene);
  act(() => chat.setState({ agents: { helper: { agent_id: "helper", name: "Helper", online: true } } }));
  cleanup();
  arrive(scene);
  expect(screen.getByRole("button", { name: "Connect an agent" })).toBeTruthy();
});

test("it looks for the agent also when no news comes, until it is there", async () => {
  const { user, refreshAgents } = arrive({ account: ADMIN, answers: { "POST /admin/agents": () => ({ token: "agt_x" }) } });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  await user.click(screen.getByRole("button", { name: "Connect an agent" }));
  await user.type(screen.getByLabelText("What people see"), "Helper{Enter}");
  await screen.findByText(/Waiting for Helper/);
  act(() => void vi.advanceTimersByTime(10_000));
  expect(refreshAgents).toHaveBeenCalledTimes(3);

  act(() => chat.setState({ agents: { helper: { agent_id: "helper", online: true } } }));
  act(() => void vi.advanceTimersByTime(60_000));
  expect(refreshAgents).toHaveBeenCalledTimes(3);
});

test("the id follows the name until it is chosen; one that is taken is told at the field", async () => {
  const { user } = arrive({ account: ADMIN, answers: { "POST /admin/agents": () => refusal(409, "conflict") } });
  await user.click(screen.getByRole("button", { name: "Connect an agent" }));
  const name = screen.getByLabelText("What people see");
  const id = screen.getByLabelText("Id") as HTMLInputElement;
  await user.type(name, "Ärger");
  expect(id.value).toBe("arger");
  await user.clear(id);
  await user.type(id, "other");
  await user.type(name, "!{Enter}");

  expect(id.value).toBe("other");
  await screen.findByText(/There is, or was, an agent of this id/);
  expect(document.activeElement).toBe(id);
});
