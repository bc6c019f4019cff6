import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { AgentsSection } from "../../src/manage/agents-section.tsx";
import type { AdminAgent } from "../../src/manage/shapes.ts";
import { fakeServer, refusal, show, type Answers } from "../settings/fake-server.tsx";

const HELPER: AdminAgent = {
  agent_id: "helper",
  name: "Helper",
  model: "m1",
  personality: "",
  specialty: "",
  online: true,
  last_seen: null,
  credential: "own",
  owner: null,
  visibility: "everyone",
  readers: [],
  created_at: "2026-11-01T10:00:00.000Z",
  connections: 1,
  connected_at: "2026-11-02T10:00:00.000Z",
};
const PATH = "/admin/agents/helper";
const PEOPLE = [
  { user_id: "u1", username: "alice" },
  { user_id: "u2", username: "bob" },
];

function open(answers: Answers = {}) {
  const server = fakeServer({
    "GET /admin/agents": () => [HELPER, { ...HELPER, agent_id: "old", name: "Old", credential: "revoked", owner: "u2" }],
    "GET /admin/users": ({ what }) => ({
      users: PEOPLE.filter(({ username }) => username.includes(new URLSearchParams(what.split("?")[1]).get("q") ?? "")),
      next: null,
    }),
    ...answers,
  });
  show(<AgentsSection />, { rest: server.rest, refreshAgents: async () => [] });
  return { server, user: userEvent.setup() };
}

async function openHelper(answers: Answers = {}) {
  const { server, user } = open(answers);
  await user.click(await screen.findByRole("button", { name: "Helper" }));
  return { server, user, dialog: within(await screen.findByRole("dialog", { name: "Helper" })) };
}

const question = (name: string) => within(screen.getByRole("dialog", { name }));
const row = (name: string) => screen.getByRole("button", { name }).closest("tr")!;

test("agents are listed with whether they are there, who sees them, and whose they are, by name", async () => {
  open();
  await screen.findByRole("table", { name: "Agents" });
  expect(within(row("Helper")).getByText("Online")).toBeTruthy();
  expect(row("Helper").textContent).toContain("Everyone");
  expect(within(row("Old")).getByText("Revoked")).toBeTruthy();
  await within(row("Old")).findByText("bob");
});

test("a new agent is made here as in the first steps, and is on the list then", async () => {
  const lists = [[HELPER], [HELPER, { ...HELPER, agent_id: "new", name: "New" }]];
  const { server, user } = open({
    "GET /admin/agents": () => (lists.length > 1 ? lists.shift() : lists[0]),
    "POST /admin/agents": () => ({ agent_id: "new", token: "agt_x" }),
  });
  await user.click(await screen.findByRole("button", { name: "New agent" }));
  await user.type(screen.getByLabelText("What people see"), "New{Enter}");
  expect((await screen.findByRole("group", { name: "Command" })).textContent).toContain("agt_x");
  await screen.findByRole("button", { name: "New" });
  expect(server.of("POST /admin/agents").map(({ body }) => body)).toEqual([{ agent_id: "new", name: "New" }]);
});

test("of the card only what was changed is sent", async () => {
  const { server, user, dialog } = await openHelper({ [`PATCH ${PATH}`]: () => ({ ...HELPER, model: "m2" }) });
  const model = dialog.getByLabelText("Model");
  await user.clear(model);
  await user.type(model, "m2{Enter}");
  await waitFor(() => expect(server.of(`PATCH ${PATH}`).map(({ body }) => body)).toEqual([{ model: "m2" }]));
});

test("an agent keeps a name; what was not changed is not sent", async () => {
  const { server, user, dialog } = await openHelper();
  await user.clear(dialog.getByLabelText("Name"));
  await user.click(dialog.getAllByRole("button", { name: "Save" })[0]!);
  expect(document.activeElement).toBe(dialog.getByLabelText("Name"));
  await user.type(dialog.getByLabelText("Name"), "Helper{Enter}");
  expect(server.of(`PATCH ${PATH}`)).toEqual([]);
});

test("owner and readers are found by name, and sent as ids with who sees the agent", async () => {
  const { server, user, dialog } = await openHelper({ [`PATCH ${PATH}`]: ({ body }) => ({ ...HELPER, ...(body as object) }) });
  await user.type(dialog.getByLabelText("Owner"), "ali");
  await user.click(await dialog.findByRole("button", { name: "alice" }));
  await user.selectOptions(dialog.getByLabelText("Visible to"), "Owner and chosen people");
  await user.type(dialog.getByLabelText("Chosen people"), "bo");
  await dialog.findByRole("button", { name: "bob" });
  await user.keyboard("{Enter}");
  await dialog.findByRole("button", { name: "Remove bob" });
  await user.click(dialog.getAllByRole("button", { name: "Save" }).at(-1)!);

  const changes = { owner: "u1", visibility: "listed", readers: ["u2"] };
  await waitFor(() => expect(server.of(`PATCH ${PATH}`).map(({ body }) => body)).toEqual([changes]));
  await waitFor(() => expect(row("Helper").textContent).toContain("alice"));
});

test("Enter takes nobody during a composition, nor whom fewer letters meant", async () => {
  const { user, dialog } = await openHelper();
  const field = dialog.getByLabelText("Owner");
  await user.type(field, "bo");
  await dialog.findByRole("button", { name: "bob" });
  fireEvent.keyDown(field, { key: "Enter", keyCode: 229 });
  await user.type(field, "x{Enter}");
  expect(dialog.queryByRole("button", { name: "Remove bob" })).toBeNull();
});

test("an owner can be taken away", async () => {
  const { server, user } = open({ "PATCH /admin/agents/old": ({ body }) => ({ ...HELPER, agent_id: "old", ...(body as object) }) });
  await user.click(await screen.findByRole("button", { name: "Old" }));
  const dialog = within(screen.getByRole("dialog", { name: "Old" }));
  await user.click(await dialog.findByRole("button", { name: "Remove bob" }));
  await user.click(dialog.getAllByRole("button", { name: "Save" }).at(-1)!);
  await waitFor(() => expect(server.of("PATCH /admin/agents/old").map(({ body }) => body)).toEqual([{ owner: null }]));
});

test("a renewed credential is shown once, in commands, after asking", async () => {
  const { server, user, dialog } = await openHelper({ [`POST ${PATH}/rotate`]: () => ({ token: "agt_new" }) });
  await user.click(dialog.getByRole("button", { name: "Renew credential …" }));
  expect(server.of(`POST ${PATH}/rotate`)).toEqual([]);
  await user.click(question("Renew credential").getByRole("button", { name: "Renew credential" }));
  expect((await dialog.findByRole("group", { name: "Command" })).textContent).toContain("agt_new");
});

test("a revoked credential is told in the list", async () => {
  const { user, dialog } = await openHelper({ [`POST ${PATH}/revoke`]: () => ({ status: "revoked" }) });
  await user.click(dialog.getByRole("button", { name: "Revoke credential …" }));
  await user.click(question("Revoke credential").getByRole("button", { name: "Revoke credential" }));
  await within(row("Helper")).findByText("Revoked");
  expect(dialog.queryByRole("button", { name: "Revoke credential …" })).toBeNull();
});

test("an agent goes only after its id was typed; a refusal is told and nothing goes", async () => {
  const answers = [refusal(503, "storage_unavailable")];
  const { server, user, dialog } = await openHelper({ [`DELETE ${PATH}`]: () => answers.shift() ?? {} });
  await user.click(dialog.getByRole("button", { name: "Delete agent …" }));
  const sure = question("Delete agent");
  await user.type(sure.getByLabelText("To be sure, type helper"), "helper{Enter}");
  expect((await sure.findByRole("alert")).textContent).toContain("trouble");
  expect(screen.getByRole("button", { name: "Helper" })).toBeTruthy();

  await user.click(sure.getByRole("button", { name: "Delete agent" }));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Helper" })).toBeNull());
  expect(server.of(`DELETE ${PATH}`).length).toBe(2);
});
