/** What a person sees of the keys of this browser, and does with them. */

import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { Toasts } from "../../src/design/toast.tsx";
import { ActionsProvider, type Actions } from "../../src/engine/actions.ts";
import { chat, EMPTY } from "../../src/engine/state.ts";
import { EncryptionSettings } from "../../src/encryption/encryption-settings.tsx";
import { openVault } from "../../src/encryption/vault.ts";
import { KeyServer } from "./key-server.ts";

let server: KeyServer;

beforeEach(() => {
  server = new KeyServer();
  chat.setState({ ...EMPTY, self: { userId: "alice", username: "Alice" } });
});

function shown() {
  const actions = { rest: server.rest("user/alice") } as Actions;
  render(
    <ActionsProvider value={actions}>
      <EncryptionSettings />
      <Toasts />
    </ActionsProvider>,
  );
}

async function anotherBrowserWasFirst() {
  await (await openVault("alice")).publish(server.rest("user/alice"));
  globalThis.indexedDB = new IDBFactory();
  await (await openVault("alice")).publish(server.rest("user/alice"));
}

describe("the settings of encryption", () => {
  it("make no keys by being looked at", async () => {
    shown();
    expect(await screen.findByText(/No keys yet/)).toBeTruthy();
    expect(screen.queryByRole("button")).toBeNull();
    expect(server.requests).toEqual([]);
  });

  it("show the fingerprint and how many one-time keys are left", async () => {
    const vault = await openVault("alice");
    await vault.publish(server.rest("user/alice"));
    server.of("user/alice").oneTime.splice(0, 10);
    shown();
    expect(await screen.findByText("Encrypts for your account")).toBeTruthy();
    const groups = screen.getByRole("group", { name: "Fingerprint of this browser" });
    expect(groups.textContent).toContain((await vault.fingerprint())!.replaceAll(/(.{5})(?=.)/g, "$1 "));
    await waitFor(() => expect(screen.getByText("40")).toBeTruthy());
  });

  it("take over from another browser once a person has read what that means", async () => {
    await anotherBrowserWasFirst();
    const before = server.of("user/alice").identity!.public_key;
    shown();
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Encrypt in this browser" }));
    expect(screen.getByRole("dialog").textContent).toMatch(/Agents see that your keys have changed/);
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(server.of("user/alice").identity!.public_key).toBe(before);

    await user.click(screen.getByRole("button", { name: "Encrypt in this browser" }));
    await user.click(screen.getAllByRole("button", { name: "Encrypt in this browser" }).at(-1)!);
    expect(await screen.findByText("Encrypts for your account")).toBeTruthy();
    expect(server.of("user/alice").identity!.public_key).not.toBe(before);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("make new keys on request, and say so if the server does not take them", async () => {
    await (await openVault("alice")).publish(server.rest("user/alice"));
    const before = server.of("user/alice").identity!.public_key;
    shown();
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Make new keys" }));
    server.isDown = true;
    await user.click(screen.getAllByRole("button", { name: "Make new keys" }).at(-1)!);
    expect(await screen.findByText(/the disk refused/)).toBeTruthy();
    server.isDown = false;
    await user.click(screen.getAllByRole("button", { name: "Make new keys" }).at(-1)!);
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(server.of("user/alice").identity!.public_key).not.toBe(before);
  });

  it("show what is known while the server is away", async () => {
    await (await openVault("alice")).publish(server.rest("user/alice"));
    server.isDown = true;
    shown();
    expect(await screen.findByText("Encrypts for your account")).toBeTruthy();
    expect(screen.getByText("50")).toBeTruthy();
  });
});
