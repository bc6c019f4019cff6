/** A browser's keys and the demo agent, with the real server between them: two languages, one format. */

import type { Message } from "@amtrio/client";
import { Rest } from "@amtrio/client";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasServer, RealServer } from "../../sdk/test/real-server.ts";
import { openVault, type Vault } from "../../src/encryption/vault.ts";

/** What a page of the server's own origin would send: another origin may not. */
const fetchAsOwnPage = ((address: string, { method, headers, body }: RequestInit = {}) =>
  new Promise<Response>((resolve, reject) => {
    const asked = request(address, { method, headers: headers as Record<string, string> }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve(new Response(Buffer.concat(chunks).toString(), { status: answer.statusCode ?? 0 })));
    });
    asked.on("error", reject).end(body as string | undefined);
  })) as typeof fetch;

describe.skipIf(!hasServer)("with the real server", () => {
  let server: RealServer;
  let rest: Rest;
  let vault: Vault;
  let room: string;

  beforeAll(async () => {
    // It is asked again and again, faster than a person would.
    process.env["AMTRIO_LIMITS_FREE_REQUESTS_PER_MINUTE"] = "0";
    server = await RealServer.started();
    rest = new Rest({ url: server.url, fetch: fetchAsOwnPage });
    const { user_id: userId } = await rest.register("alice", "correct horse battery");
    vault = await openVault(userId);
    room = (await rest.createConversation("demo")).conversation_id;
    while (!(await vault.hasKeys(rest, "demo"))) await new Promise((resolve) => setTimeout(resolve, 50));
  }, 60_000);
  afterAll(async () => server?.remove());

  async function send(text: string): Promise<string> {
    const body = { ...(await vault.seal(room, text)), client_id: crypto.randomUUID() };
    const sent = await rest.call<{ id: string }>("POST", `/conversations/${room}/messages/encrypted`, { body });
    return sent.id;
  }

  async function answerTo(messageId: string): Promise<Message> {
    for (;;) {
      const { messages } = await rest.history(room);
      const found = messages.find((message) => message.reply_to === messageId);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it("the demo agent reads what was sealed here and answers what is opened here", async () => {
    await vault.begin(rest, room, "demo");
    for (const text of ["/echo the first one", "/echo and it goes on"]) {
      const answer = await answerTo(await send(text));
      expect(answer.kind).toBe("encrypted");
      const opened = await vault.open(answer);
      expect(opened).toEqual({ text: expect.stringContaining(text.replace("/echo ", "")) });
    }
    const { messages } = await rest.history(room);
    expect(messages.map((message) => message.kind)).toEqual(["encrypted", "encrypted", "encrypted", "encrypted"]);
    expect(JSON.stringify(messages)).not.toContain("goes on");
    const opened = await Promise.all(messages.map((message) => vault.open(message)));
    expect(opened.filter((each) => "unreadable" in each)).toEqual([]);
  }, 60_000);

  it("the server has the browser's keys, and the agent's are those that were met", async () => {
    expect(await vault.standing()).toEqual({ state: "ready", oneTimeKeys: 50 });
    expect(await vault.publish(rest)).toEqual({ state: "ready", oneTimeKeys: 50 });
    expect(await vault.refreshPeer(rest, "demo")).toMatchObject({ kind: "known" });
  });
});
