/**
 * What a person can do once they are signed in: with conversations, messages, answers under way, and files.
 *
 * Views are given all actions as one object, so this is what `engine.ts` builds upon. Knows the parts of the engine, not
 * who is signed in, nor how that ends.
 */

import { Refused, type Connection, type Message, type Reaction, type Rest, type SearchPage, type SearchQuery } from "@amtrio/client";
import type { SignedInAccount } from "./account.ts";
import type { Actions, SendOptions } from "./actions.ts";
import { changeConversation, withoutConversation, type Applied } from "./apply.ts";
import { withRead } from "./conversations.ts";
import { optimistic, optimisticMessage } from "./optimistic.ts";
import { chat, type ChatConversation } from "./state.ts";
import { withReaction } from "./timeline.ts";

// Typing is forgotten after 6 s. Source: docs/protocol.md, "typing and status".
const TYPING_EVERY_MS = 3000;

type Signing = "signIn" | "register" | "options" | "signOut" | "deleteAccount" | "reconnect";

export abstract class PersonActions implements Omit<Actions, Signing> {
  readonly #typedAt = new Map<string, number>();
  /** To whoever is signed in by then. */
  readonly #commit = (applied: Applied): void => this.account?.commit(applied);

  abstract get rest(): Rest;

  /** Whose they are; undefined if nobody is signed in. */
  protected abstract get account(): SignedInAccount | undefined;

  // --------------------------------------------------------------------------------------------------- conversations

  async openConversation(agentId: string, title?: string): Promise<string> {
    const known = Object.values(chat.getState().conversations).find((each) => each.agent_id === agentId && each.is_default);
    if (title === undefined && known !== undefined) {
      // Whoever looks for it expects to find it in the list from now on.
      if (known.archived === true) void this.archive(known.conversation_id, false).catch(() => undefined);
      return known.conversation_id;
    }
    const fields = title === undefined ? { agent_id: agentId } : { agent_id: agentId, title };
    const { account } = this;
    const conversation = await this.rest.createConversation(agentId, fields.title);
    const id = conversation.conversation_id;
    // Its event may come a moment later than the answer; which is nothing for who is signed in by then.
    if (chat.getState().conversations[id] === undefined && account === this.account) {
      const { last_message: last, unread_count: unread, read_up_to: readUpTo, ...row } = conversation;
      const begun: ChatConversation = { ...row, receipts: [], last, unread, readUpTo, lastSeq: last?.conversation_seq ?? 0 };
      chat.setState(({ conversations }) => ({ conversations: { ...conversations, [id]: begun } }));
    }
    return id;
  }

  async rename(conversationId: string, title: string | null): Promise<void> {
    await this.#change(conversationId, { title });
  }

  async pin(conversationId: string, pinned: boolean): Promise<void> {
    await this.#change(conversationId, { pinned });
  }

  async archive(conversationId: string, archived: boolean): Promise<void> {
    await this.#change(conversationId, { archived });
  }

  async mute(conversationId: string, until: string | null): Promise<void> {
    const path = `/conversations/${encodeURIComponent(conversationId)}/notifications`;
    await optimistic(this.#commit, conversationId, { muted_until: until }, () =>
      until === null ? this.rest.call("DELETE", path) : this.rest.call("PUT", path, { body: { muted_until: until } }),
    );
  }

  async tag(conversationId: string, tag: string, on: boolean): Promise<void> {
    const tags = chat.getState().conversations[conversationId]?.tags ?? [];
    const others = tags.filter((each) => each !== tag);
    await optimistic(this.#commit, conversationId, { tags: on ? [...others, tag].toSorted() : others }, () =>
      this.#connection().send("tag", { conversation_id: conversationId, tag, on }),
    );
  }

  async deleteConversation(conversationId: string): Promise<void> {
    await this.rest.deleteConversation(conversationId);
    this.account?.commit(withoutConversation(chat.getState(), conversationId));
  }

  show(conversationId: string): void {
    void this.account?.timelines.show(conversationId);
    void this.account?.secrets.look(conversationId).catch(() => undefined);
  }

  loadOlder(conversationId: string): void {
    void this.account?.timelines.older(conversationId);
  }

  loadNewer(conversationId: string): void {
    void this.account?.timelines.newer(conversationId);
  }

  async loadAround(conversationId: string, messageId: string): Promise<void> {
    await this.account?.timelines.around(conversationId, messageId);
  }

  loadQuoted(messageId: string): void {
    void this.account?.timelines.quoted(messageId);
  }

  async loadLatest(conversationId: string): Promise<void> {
    await this.account?.timelines.latest(conversationId);
  }

  markRead(conversationId: string, upTo: number): void {
    const { conversations, timelines } = chat.getState();
    if ((conversations[conversationId]?.readUpTo ?? upTo) >= upTo) return;
    const known = timelines[conversationId]?.messages ?? [];
    this.account?.commit(changeConversation(chat.getState(), conversationId, (each) => withRead(each, upTo, known)));
    // What fails now is said again with the next message that is read.
    void this.account?.connection?.send("read", { conversation_id: conversationId, up_to: upTo }).catch(() => undefined);
  }

  setDraft(conversationId: string, text: string): void {
    this.account?.drafts.set(conversationId, text);
  }

  // --------------------------------------------------------------------------------------------------------- messages

  send(conversationId: string, content: string, { replyTo, attachments = [] }: SendOptions = {}): void {
    const account = this.account;
    this.#typedAt.delete(conversationId);
    if (account === undefined) return;
    const message = { conversationId, content, replyTo, attachments };
    // Undefined: the page has just come, and has not looked yet how it stands with this conversation.
    void account.outbox.add({ ...message, encrypted: account.secrets.isOnNow(conversationId) });
  }

  retry(clientId: string): void {
    void this.account?.outbox.retry(clientId);
  }

  discard(clientId: string): void {
    void this.account?.outbox.discard(clientId);
  }

  async edit(message: Message, content: string): Promise<void> {
    const now = { content, edited_at: new Date().toISOString() };
    let before = message;
    await optimisticMessage(
      message,
      (each) => (each.deleted ? each : { ...(before = each), ...now }),
      // Unless the log has told something else meanwhile.
      (each) => (each.edited_at === now.edited_at && !each.deleted ? before : each),
      async () => {
        await this.#mustBePlain(message.conversation_id);
        return this.#connection().send("edit", { message_id: message.message_id, content });
      },
    );
  }

  async remove(message: Message): Promise<void> {
    await this.#connection().send("delete", { message_id: message.message_id });
  }

  async react(message: Message, emoji: string, on: boolean): Promise<void> {
    const { userId } = this.account?.self ?? { userId: "" };
    const reaction: Reaction = { emoji, account_kind: "user", account_id: userId };
    await optimisticMessage(
      message,
      (each) => withReaction(each, reaction, on),
      (each) => withReaction(each, reaction, !on),
      () => this.#connection().send("react", { message_id: message.message_id, emoji, on }),
    );
  }

  async withdraw(message: Message): Promise<void> {
    await this.#connection().send("message_withdraw", { message_id: message.message_id });
  }

  async answer(message: Message, optionIds: readonly string[], text?: string): Promise<void> {
    const said = text === undefined || text === "" ? {} : { text };
    if (said.text !== undefined) await this.#mustBePlain(message.conversation_id);
    await this.#connection().send("answer", { message_id: message.message_id, option_ids: [...optionIds], ...said });
  }

  typing(conversationId: string): void {
    const now = performance.now();
    if (now - (this.#typedAt.get(conversationId) ?? -Infinity) < TYPING_EVERY_MS) return;
    this.#typedAt.set(conversationId, now);
    this.account?.connection?.tell("typing", { conversation_id: conversationId, typing: true });
  }

  // -------------------------------------------------------------------------------------------------- runs, and the rest

  async stop(runId: string): Promise<void> {
    chat.setState(({ stopping }) => ({ stopping: { [runId]: "sent", ...stopping } }));
    try {
      // Ahead of whatever the socket still has to send.
      await this.rest.stop(runId);
    } catch (error) {
      chat.setState(({ stopping: { [runId]: _, ...others } }) => ({ stopping: others }));
      // It has ended by itself meanwhile, which is what was wanted; the log is about to tell.
      if (error instanceof Refused && error.code === "run_closed") return;
      throw error;
    }
  }

  async steer(runId: string, text: string): Promise<void> {
    const [conversationId] = Object.entries(chat.getState().runs).find(([, runs]) => runs.includes(runId)) ?? [];
    if (conversationId !== undefined) await this.#mustBePlain(conversationId);
    await this.#connection().send("run_control", { run_id: runId, action: "steer", text });
  }

  async searchHere(query: string, limit: number): Promise<Message[]> {
    return (await this.account?.searchHere.find(query, limit)) ?? [];
  }

  search(query: SearchQuery, signal?: AbortSignal): Promise<SearchPage> {
    return this.rest.search(query, signal);
  }

  upload: Actions["upload"] = async (file, options) => {
    const { account } = this;
    if (account === undefined) throw new Error("nobody is signed in");
    for (;;) {
      const isOn = await account.secrets.isOn(options.conversationId);
      const uploaded = isOn ? await account.files.seal(file, options) : await this.rest.upload(file, options);
      if ((await account.secrets.isOn(options.conversationId)) === isOn) return uploaded;
      // It was turned on or off meanwhile. What is in no message after a day is deleted anyway.
      this.rest.call("DELETE", `/attachments/${encodeURIComponent(uploaded.attachment_id)}`).catch(() => undefined);
    }
  };

  fileUrl: Actions["fileUrl"] = (attachment, kind) => {
    if (this.account === undefined) return Promise.reject(new Error("nobody is signed in"));
    return this.account.files.url(attachment, kind);
  };

  openFile: Actions["openFile"] = (file) => {
    if (this.account === undefined) return Promise.reject(new Error("nobody is signed in"));
    return this.account.files.open(file);
  };

  describe: Actions["describe"] = async (files) => {
    return (await this.account?.secrets.describe(files, (id) => this.rest.message(id))) ?? files;
  };

  keepsKeys(): boolean {
    return this.account?.secrets.isUsed === true;
  }

  async setEncryption(conversationId: string, on: boolean): Promise<void> {
    await this.account?.secrets.turn(conversationId, on);
  }

  async markVerified(conversationId: string): Promise<void> {
    await this.account?.secrets.verify(conversationId);
  }

  async decipher(messages: readonly Message[]) {
    return (await this.account?.secrets.decipher(messages)) ?? { plain: {}, sealedFiles: {} };
  }

  async refreshAgents() {
    return (await this.account?.refreshAgents()) ?? [];
  }

  // ---------------------------------------------------------------------------------------------------------- details

  /** Edits, answers in words and what is said into a run go in the clear. Rejects where nothing may. */
  async #mustBePlain(conversationId: string): Promise<void> {
    if (await this.account?.secrets.isOn(conversationId)) {
      throw new Refused("this conversation is encrypted", { code: "unsupported" });
    }
  }

  #connection(): Connection {
    const connection = this.account?.connection;
    if (connection === undefined) throw new Error("there is no connection right now");
    return connection;
  }

  async #change(conversationId: string, change: { title?: string | null; pinned?: boolean; archived?: boolean }): Promise<void> {
    await optimistic(this.#commit, conversationId, change, () => this.rest.updateConversation(conversationId, change));
  }
}
