/** Whoever holds the server's admin secret: agents and their credentials, people's rights, invitations. */

import { Rest } from "@amtrio/client";
import { ADMIN_SECRET, type Server } from "./server.ts";

export interface AgentRights {
  readonly name?: string;
  readonly model?: string;
  readonly specialty?: string;
}

export class Admin {
  readonly #server: Server;
  constructor(server: Server) {
    this.#server = server;
  }

  /** As on every server that somebody has set up, there is an administrator. */
  static async first(server: Server): Promise<void> {
    const admin = new Admin(server);
    const token = await admin.invite({ is_admin: true });
    await new Rest({ url: server.url }).register("keeper", crypto.randomUUID(), token);
  }

  /** Any route of `/admin`. */
  async call<Answer = unknown>(method: string, path: string, body?: object): Promise<Answer> {
    const headers = { "X-Admin-Secret": ADMIN_SECRET, "Content-Type": "application/json" };
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    const answer = await fetch(this.#server.url + path, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  /** Its credential. */
  async addAgent(agentId: string, rights: AgentRights = {}): Promise<string> {
    const made = await this.call<{ token: string }>("POST", "/admin/agents", { agent_id: agentId, ...rights });
    return made.token;
  }

  async removeAgent(agentId: string): Promise<void> {
    await this.call("DELETE", `/admin/agents/${encodeURIComponent(agentId)}`);
  }

  async isOnline(agentId: string): Promise<boolean> {
    const agent = await this.call<{ connections: number }>("GET", `/admin/agents/${encodeURIComponent(agentId)}`);
    return agent.connections > 0;
  }

  async promote(userId: string): Promise<void> {
    await this.call("PATCH", `/admin/users/${encodeURIComponent(userId)}`, { is_admin: true });
  }

  /** What goes behind `#/join/`. */
  async invite(fields: { is_admin?: boolean; uses?: number; hours?: number } = {}): Promise<string> {
    return (await this.call<{ token: string }>("POST", "/admin/invitations", fields)).token;
  }

  async allow(registration: "open" | "invitation" | "closed" | null): Promise<void> {
    await this.call("PATCH", "/admin/settings", { registration });
  }
}
