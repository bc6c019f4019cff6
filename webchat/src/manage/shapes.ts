/** What administration is about, as it comes over the wire. Source: docs/protocol.md, "Administration", and docs/openapi.json. */

import type { AgentInfo } from "@amtrio/client";

export interface AdminUser {
  readonly user_id: string;
  readonly username: string;
  readonly tier: string;
  readonly is_admin: boolean;
  readonly created_at: string;
  /** Now, while they are connected; null if they never were. */
  readonly last_seen: string | null;
  readonly connections: number;
  readonly sessions: number;
  readonly storage_bytes: number;
}

export interface AdminAgent extends AgentInfo {
  /** `own`, `shared` (the server's secret for all agents) or `revoked`. */
  readonly credential: string;
  /** A user id. */
  readonly owner: string | null;
  readonly visibility: string;
  /** User ids that a `listed` agent is shown to beside its owner. */
  readonly readers: readonly string[];
  readonly created_at: string;
  readonly connections: number;
  /** Of the oldest open socket. */
  readonly connected_at?: string;
}

export interface Invitation {
  readonly invitation_id: string;
  readonly note: string;
  readonly is_admin: boolean;
  readonly tier: string;
  readonly uses_left: number;
  readonly created_at: string;
  readonly expires_at: string;
  /** `open`, `used`, `expired` or `revoked`. */
  readonly status: string;
}

export interface ServerSettings {
  readonly registration: Registration;
  readonly configured_registration: Registration;
  /** An administrator's choice is in force in place of the configured one. */
  readonly is_registration_changed: boolean;
}

export const REGISTRATIONS = ["open", "invitation", "closed"] as const;
export type Registration = (typeof REGISTRATIONS)[number];

export interface Connections {
  readonly total: number;
  readonly accounts: readonly Connected[];
}

export interface Connected {
  readonly account_kind: string;
  readonly account_id: string;
  readonly connections: number;
  readonly connected_at: string | null;
}

export interface AuditEntry {
  readonly number: number;
  readonly at: string;
  /** `secret`, `cli` or `user`, whose id is `actor_id`. */
  readonly actor: string;
  readonly actor_id: string | null;
  readonly address: string;
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
}
