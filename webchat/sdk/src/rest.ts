/**
 * The REST side of the protocol: sign in, lists, history, snapshots, files.
 *
 * Knows HTTP and routes. Knows nothing of sockets; nothing here tries again by itself.
 * Source: docs/protocol.md, "REST".
 */

import { download, type DownloadOptions } from "./download.js";
import { Refused } from "./errors.js";
import { httpUrl, onTheWay, parse, queryOf } from "./http.js";
import { attachmentOf, messageOf } from "./message-of.js";
import type {
  AgentInfo,
  Attachment,
  ListedConversation,
  Message,
  OwnState,
  Snapshot,
  SnapshotConversation,
  Word,
} from "./shapes.js";
import { upload, type UploadOptions } from "./upload.js";
import type { HistoryPage, HistoryQuery, SearchPage, SearchQuery } from "./words.js";

export interface RestOptions {
  /** Of the server; a path before the routes is kept. */
  url: string;
  /** Of a person, or an agent's credential (then with `agentId`). */
  token?: string | undefined;
  agentId?: string | undefined;
  /** By default the global one. */
  fetch?: typeof fetch | undefined;
}

export interface SignedIn {
  token: string;
  user_id: string;
  username: string;
  session_id: string;
  /** RFC 3339. */
  expires_at: string | null;
}

/** One place where an account is signed in. */
export interface Session {
  session_id: string;
  created_at: string;
  /** Exact to a minute. */
  last_used_at: string;
  expires_at: string;
  user_agent: string;
  address: string;
  /** It is the one that asks. */
  current: boolean;
}

export interface Account {
  user_id: string;
  username: string;
  tier: Word<"free" | "pro" | "enterprise">;
  is_admin: boolean;
  created_at: string;
  storage: { used_bytes: number; quota_bytes: number; files: number };
  limits: {
    requests_per_minute: number;
    messages_per_minute: number;
    ephemeral_per_minute: number;
    max_upload_bytes: number;
  };
}

/** Ask before you send. */
export interface UploadRoom {
  max_file_bytes: number;
  quota_bytes: number;
  used_bytes: number;
  max_per_message: number;
}

export interface ConversationsQuery {
  limit?: number;
  before?: string;
  /** False: those not archived. True: those that are. By default those not archived. */
  archived?: boolean | "all";
  pinned?: boolean;
  tag?: string;
  agent_id?: string;
}

interface Call {
  query?: object | undefined;
  body?: object | undefined;
  signal?: AbortSignal | undefined;
}

/** Every method throws `Refused` if the server says no, `Unreachable` if nobody answers. */
export class Rest {
  /** Kept by `register` and `login` for the calls that follow. */
  token: string | undefined;
  readonly url: string;
  readonly #agentId: string | undefined;
  readonly #fetch: typeof fetch;

  constructor({ url, token, agentId, fetch = globalThis.fetch }: RestOptions) {
    this.url = httpUrl(url);
    this.token = token;
    this.#agentId = agentId;
    this.#fetch = fetch;
  }

  /** Make an account and sign in. */
  async register(username: string, password: string, invitation?: string): Promise<SignedIn> {
    return this.#signIn("/auth/register", { username, password, invitation });
  }

  async login(username: string, password: string, deviceId?: string): Promise<SignedIn> {
    return this.#signIn("/auth/login", { username, password, device_id: deviceId });
  }

  /** End this session: the token is worth nothing afterwards. */
  async logout(): Promise<void> {
    await this.call("POST", "/auth/logout");
    this.token = undefined;
  }

  /** Ends all other sessions. */
  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await this.call("POST", "/auth/change-password", { body: { old_password: oldPassword, new_password: newPassword } });
  }

  /** Where one is signed in. */
  async sessions(): Promise<Session[]> {
    return (await this.call<{ sessions: Session[] }>("GET", "/auth/sessions")).sessions;
  }

  async endSession(sessionId: string): Promise<void> {
    await this.call("DELETE", `/auth/sessions/${segment(sessionId)}`);
  }

  async account(): Promise<Account> {
    return this.call("GET", "/account");
  }

  /** Whom one may talk with, and whether they are there. */
  async agents(): Promise<AgentInfo[]> {
    return this.call("GET", "/agents");
  }

  /** By activity, newest first. */
  async conversations(query: ConversationsQuery = {}): Promise<ListedConversation[]> {
    return this.call("GET", "/conversations", { query });
  }

  /** Without a title: the one default conversation with this agent, made if it is not there. */
  async createConversation(agentId: string, title?: string): Promise<ListedConversation> {
    return this.call("POST", "/conversations", { body: { agent_id: agentId, title } });
  }

  /** What is left out stays; a title of null is taken away. */
  async updateConversation(
    conversationId: string,
    changes: { title?: string | null } & Partial<Pick<OwnState, "pinned" | "archived" | "tags">>,
  ): Promise<Partial<ListedConversation>> {
    return this.call("PATCH", `/conversations/${segment(conversationId)}`, { body: changes });
  }

  /** Remove a conversation with everything in it, for both sides. */
  async deleteConversation(conversationId: string): Promise<void> {
    await this.call("DELETE", `/conversations/${segment(conversationId)}`);
  }

  /** One page, oldest first; without `before` and `after` the newest one. */
  async history(conversationId: string, query: HistoryQuery = {}, signal?: AbortSignal): Promise<HistoryPage> {
    const path = `/conversations/${segment(conversationId)}/messages`;
    const { body, headers } = await this.#request("GET", path, { query, signal });
    return {
      conversation_id: conversationId,
      messages: (body as Message[]).map(messageOf),
      has_more: headers.get("X-Amtrio-Has-More") === "true",
      epoch: headers.get("X-Amtrio-Epoch") ?? "",
      seq: Number(headers.get("X-Amtrio-Seq") ?? 0),
    };
  }

  /** One message as it is now. */
  async message(messageId: string): Promise<Message> {
    return messageOf(await this.call("GET", `/messages/${segment(messageId)}`));
  }

  async search(query: SearchQuery, signal?: AbortSignal): Promise<SearchPage> {
    const page = await this.call<SearchPage>("GET", "/search", { query, signal });
    return { ...page, results: page.results.map((hit) => ({ ...hit, message: messageOf(hit.message) })) };
  }

  /** Stop a run ahead of everything that the socket still has to send. */
  async stop(runId: string): Promise<void> {
    await this.call("POST", `/runs/${segment(runId)}/control`, { body: { action: "stop" } });
  }

  /** Put a file on the server. It belongs to a message once one names it, and goes after a day if none does. */
  async upload(file: Blob, options: UploadOptions = {}): Promise<Attachment> {
    const { filename = file instanceof File ? file.name : "file", conversationId, keepMetadata, isEncrypted } = options;
    const query = { filename, conversation_id: conversationId, keep_metadata: keepMetadata, encrypted: isEncrypted };
    const address = this.#address("/attachments", query);
    const headers = { ...this.#credential(), "Content-Type": file.type || "application/octet-stream" };
    const [response, text] = await onTheWay("POST /attachments", options.signal, async () => {
      const answer = await upload(this.#fetch, address, headers, file, options);
      return [answer, await answer.text()] as const;
    });
    return attachmentOf(parse(response, text) as Attachment);
  }

  async uploadRoom(): Promise<UploadRoom> {
    return this.call("GET", "/attachments/room");
  }

  /** Addresses that are good for 15 minutes without any credential, for `<img>`. */
  async attachmentLink(attachmentId: string): Promise<{ url: string; thumbnail_url?: string | null; expires_at: string }> {
    return this.call("POST", `/attachments/${segment(attachmentId)}/link`);
  }

  /** A file of any route, such as `/account/export`. */
  async download(path: string, options: DownloadOptions = {}): Promise<Blob> {
    return download(this.#fetch, `GET ${path}`, this.#address(path), this.#credential(), options);
  }

  /** The whole account at one place in its log, all pages. */
  async snapshot(): Promise<Snapshot> {
    type Page = Snapshot & { next: string | null };
    const first = await this.call<Page>("GET", "/snapshot");
    const conversations: SnapshotConversation[] = [...first.conversations];
    for (let page = first; page.next !== null; ) {
      page = await this.call<Page>("GET", "/snapshot", { query: { after: page.next, seq: first.seq } });
      if (page.epoch !== first.epoch) {
        const text = "the server's history changed between two pages";
        throw new Refused(text, { code: "snapshot_moved", retry: "after_ms" });
      }
      conversations.push(...page.conversations);
    }
    return { epoch: first.epoch, seq: first.seq, conversations };
  }

  /** Any route: JSON there and back. Undefined values are left out. */
  async call<Answer = unknown>(method: string, path: string, call: Call = {}): Promise<Answer> {
    return (await this.#request(method, path, call)).body as Answer;
  }

  async #request(method: string, path: string, { query, body, signal }: Call): Promise<{ body: unknown; headers: Headers }> {
    const init: RequestInit = { method, headers: this.#credential() };
    if (signal !== undefined) init.signal = signal;
    if (body !== undefined) {
      init.headers = { ...init.headers, "Content-Type": "application/json" };
      init.body = JSON.stringify(body);
    }
    const address = this.#address(path, query);
    // Called as a function of its own: a browser's fetch refuses to be a method of something else.
    const fetch = this.#fetch;
    const [response, text] = await onTheWay(`${method} ${path}`, signal, async () => {
      const answer = await fetch(address, init);
      return [answer, await answer.text()] as const;
    });
    return { body: parse(response, text), headers: response.headers };
  }

  async #signIn(path: string, body: object): Promise<SignedIn> {
    const signedIn = await this.call<SignedIn>("POST", path, { body });
    this.token = signedIn.token;
    return signedIn;
  }

  #credential(): Record<string, string> {
    return {
      ...(this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` }),
      ...(this.#agentId === undefined ? {} : { "X-Agent-ID": this.#agentId }),
    };
  }

  #address(path: string, query: object = {}): string {
    return this.url + path + queryOf(query);
  }
}

function segment(text: string): string {
  return encodeURIComponent(text);
}
