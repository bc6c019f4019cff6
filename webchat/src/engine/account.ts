/**
 * One account that is signed in on this device: what is kept of it, its connection, and what that tells.
 *
 * Knows every part that needs both the database and the server, and puts them together. Knows no view.
 */

import type { AgentInfo, AmtrioEvent, Connection, Position, Account as ServerAccount } from "@amtrio/client";
import { AgentList } from "./agent-list.ts";
import { apply, changeConversation, type Applied } from "./apply.ts";
import { arrivals, quietChanges } from "./arrivals.ts";
import { Connecting, showOffline } from "./connecting.ts";
import { refreshed, type ConversationRow } from "./conversations.ts";
import { deleteDatabase, openDatabase, type Database } from "./database.ts";
import { moveOn } from "./device-storage.ts";
import { Drafts } from "./drafts.ts";
import { Files } from "./files.ts";
import { live } from "./live.ts";
import { Outbox } from "./outbox.ts";
import { forgetOwnItems } from "./own-items.ts";
import { Runs } from "./runs.ts";
import { SearchHere } from "./search-here.ts";
import { Secrets } from "./secrets.ts";
import { heardTime } from "./server-clock.ts";
import type { Session } from "./session.ts";
import { chat, EMPTY, views, type ChatState, type Self } from "./state.ts";
import type { Tabs } from "./tabs.ts";
import { Timelines } from "./timelines.ts";
import { within } from "./within.ts";
import { Writer } from "./writer.ts";

const TYPING_SWEEP_MS = 6100;
// A tab that the browser has frozen lets go of a database when it wakes up, if ever. The removal goes on without us.
const ERASE_WITHIN_MS = 2000;
// Where an agent is very busy, what the log told stands; that is better than asking for ever.
const TRIES = 4;

export class SignedInAccount {
  readonly self: Self;
  readonly database: Database;
  readonly writer: Writer;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly timelines: Timelines;
  readonly files: Files;
  readonly searchHere: SearchHere;
  readonly secrets: Secrets;
  readonly #session: Session;
  readonly #tabs: Tabs;
  readonly #agentList: AgentList;
  readonly #runs = new Runs();
  readonly #connecting: Connecting;
  #position: Position | undefined;
  #isClosed = false;
  #stopListening: (() => void) | undefined;

  private constructor(self: Self, database: Database, session: Session, tabs: Tabs) {
    this.self = self;
    this.database = database;
    this.#session = session;
    this.#tabs = tabs;
    this.searchHere = new SearchHere(database, () => chat.getState().plain);
    this.writer = new Writer(database, (change) => this.searchHere.learn(change));
    this.secrets = new Secrets(self.userId, session.rest);
    this.#connecting = new Connecting(session, {
      position: () => this.#position,
      // What was applied is on its way to the disk already; the server may forget it once it is there.
      keep: () => this.writer.flush(),
      begun: (connection) => this.#sayWhatWasRead(connection),
      told: (event, connection) => this.#apply(event, connection),
    });
    this.outbox = new Outbox(database, self.userId, tabs, () => this.connection, this.secrets);
    this.drafts = new Drafts(database, self.userId, tabs);
    this.timelines = new Timelines(database, session.rest, this.writer, () => this.#position?.seq ?? 0);
    this.files = new Files(session.rest);
    this.#agentList = new AgentList(() => session.rest.agents());
  }

  /** With everything that this device knows put into the state, if they are wanted there still when it has been read. */
  static async open(self: Self, session: Session, tabs: Tabs, isWanted: () => boolean): Promise<SignedInAccount> {
    const account = new SignedInAccount(self, await openDatabase(self.userId), session, tabs);
    try {
      await account.#load(isWanted);
      return account;
    } catch (error) {
      await account.close();
      throw error;
    }
  }

  get connection(): Connection | undefined {
    return this.#connecting.connection;
  }

  /** Keep connected until `close`, or until the session has ended: then it returns true. */
  run(url: string): Promise<boolean> {
    return this.#connecting.run(url);
  }

  /** Try now instead of later. */
  nudge(): void {
    this.#connecting.nudge();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening?.();
    this.timelines.close();
    await this.#connecting.close();
    await this.secrets.close();
    await this.drafts.close();
    this.outbox.close();
    this.files.close();
    await this.writer.flush().catch(() => undefined);
    this.database.close();
  }

  /** Close, and leave nothing of it on this device. */
  async erase(): Promise<void> {
    await this.close();
    live.clear();
    this.drafts.erase();
    this.outbox.erase();
    forgetOwnItems(this.self.userId);
    // Neither waits for the other: what can be removed is.
    const removal = Promise.allSettled([deleteDatabase(this.self.userId), this.secrets.erase()]);
    const removed = await within(ERASE_WITHIN_MS, removal);
    if (removed === undefined) moveOn(this.self.userId);
    for (const each of removed ?? []) if (each.status === "rejected") throw each.reason;
  }

  /** Show a change, and keep it; it is not from the log. */
  commit({ state, change }: Applied): void {
    chat.setState(state);
    if (change !== undefined) this.writer.add(change);
  }

  async refreshAgents(): Promise<AgentInfo[]> {
    const { agents, told } = await this.#agentList.ask();
    // An answer that comes late is nothing for who is signed in by then; so below.
    if (this.#isClosed) return agents;
    let state: ChatState = { ...chat.getState(), agents: Object.fromEntries(agents.map((agent) => [agent.agent_id, agent])) };
    for (const event of told) ({ state } = apply(state, event, this.self, Date.now()));
    chat.setState(state);
    this.writer.add({ agents: Object.values(state.agents) });
    return agents;
  }

  async refreshConversation(id: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const before = chat.getState().conversations[id];
      const row = await this.#session.rest.call<ConversationRow>("GET", `/conversations/${encodeURIComponent(id)}`);
      const now = chat.getState().conversations[id];
      if (now === undefined || this.#isClosed) return;
      // What changed here meanwhile, by the log or by who reads, would be overwritten with what was before.
      const isCurrent = now === before && row.read_up_to >= now.readUpTo;
      if (!isCurrent && tries < TRIES) continue;
      return this.commit(changeConversation(chat.getState(), id, () => refreshed(now, row, isCurrent)));
    }
  }

  // ------------------------------------------------------------------------------------------------ what is told

  /** What was read without a connection, such as while the page before went, or before this one had its token. */
  #sayWhatWasRead(connection: Connection): void {
    for (const { conversation_id: id, readUpTo, receipts } of Object.values(chat.getState().conversations)) {
      const own = receipts.find((each) => each.account_kind === "user" && each.account_id === this.self.userId);
      if (readUpTo <= (own?.read_up_to ?? 0)) continue;
      void connection.send("read", { conversation_id: id, up_to: readUpTo }).catch(() => undefined);
    }
  }

  async #apply(event: AmtrioEvent, connection: Connection): Promise<void> {
    // Somebody has left, with more of the log on its way.
    if (this.#isClosed) return;
    if (event.type === "online") {
      heardTime(event.data.server_time);
      this.#online(event.data.epoch, event.data.seq);
    }
    if (event.type === "offline") showOffline(event.data.reason, event.data.retry_in_ms);
    if (event.type === "online" || event.type === "offline") return this.outbox.connectionChanged();
    // Keys are asked for over REST; what fails is asked again when the conversation is opened.
    void this.secrets.apply(event).catch(() => undefined);
    this.#agentList.told(event);
    const applied = views.fromLog(() => {
      this.#runs.apply(event, connection);
      const { state, ...rest } = apply(chat.getState(), event, this.self, Date.now());
      if (state !== chat.getState()) chat.setState(state);
      return rest;
    });
    this.#moved(event);
    if (applied.change !== undefined || event.seq !== undefined) this.writer.add(applied.change ?? {}, this.#position);
    if (applied.arrived !== undefined) arrivals.tell(applied.arrived);
    if (event.type === "notification_preferences") quietChanges.tell(event.data);
    if (applied.missing !== undefined) void this.#fetchMissing(applied.missing);
    if (event.type === "message") await this.outbox.told(event.data);
    if (event.type === "typing") setTimeout(forgetTyping, TYPING_SWEEP_MS);
    if (event.type === "snapshot") {
      this.timelines.forget();
      await this.outbox.rebuilt();
    }
  }

  #online(epoch: string, seq: number): void {
    chat.setState({ link: { kind: "online" } });
    this.#position ??= { epoch, seq };
    void this.refreshAgents().catch(() => undefined);
    void this.#refreshAccount().catch(() => undefined);
    void this.secrets.publish().catch(() => undefined);
  }

  #moved(event: AmtrioEvent): void {
    if (event.type === "snapshot") this.#position = { epoch: event.data.epoch, seq: event.data.seq };
    else if (event.seq !== undefined && this.#position !== undefined) this.#position = { ...this.#position, seq: event.seq };
  }

  async #fetchMissing(id: string): Promise<void> {
    try {
      await this.refreshConversation(id);
      await this.timelines.mend(id);
    } catch {
      // Opening it fetches it again.
    }
  }

  async #refreshAccount(): Promise<void> {
    const account = await this.#session.rest.account();
    if (this.#isClosed) return;
    chat.setState({ account });
    await this.database.put("meta", account, "account");
  }

  // --------------------------------------------------------------------------------------------- what is kept here

  async #load(isWanted: () => boolean): Promise<void> {
    // In one transaction: another tab may be writing, and the place must be that of what is read.
    const transaction = this.database.transaction(["conversations", "agents", "drafts", "meta"]);
    const [conversations, agents, draftKeys, drafts, position, account] = await Promise.all([
      transaction.objectStore("conversations").getAll(),
      transaction.objectStore("agents").getAll(),
      transaction.objectStore("drafts").getAllKeys(),
      transaction.objectStore("drafts").getAll(),
      transaction.objectStore("meta").get("position"),
      transaction.objectStore("meta").get("account"),
    ]);
    if (!isWanted()) return;
    this.#position = position as Position | undefined;
    this.writer.startAt(this.#position);
    chat.setState({
      ...EMPTY,
      // They are seen once whoever shows them can be asked for more (`show`).
      self: chat.getState().self,
      account: account as ServerAccount | undefined,
      conversations: Object.fromEntries(conversations.map((each) => [each.conversation_id, each])),
      agents: Object.fromEntries(agents.map((each) => [each.agent_id, each])),
      drafts: Object.fromEntries(draftKeys.map((key, at) => [key, drafts[at]!])),
    });
    await this.drafts.load();
    await this.outbox.begin();
    this.#stopListening = this.#tabs.listen((news) => this.#heard(news));
  }

  #heard(news: Parameters<Parameters<Tabs["listen"]>[0]>[0]): void {
    if (news.userId !== this.self.userId || this.#isClosed) return;
    if (news.kind === "outbox") void this.outbox.load().catch(() => undefined);
    if (news.kind === "draft") this.drafts.show(news.conversationId, news.text);
  }

}

function forgetTyping(): void {
  const now = Date.now();
  const { typing } = chat.getState();
  const left = Object.entries(typing).filter(([, until]) => until > now);
  if (left.length < Object.keys(typing).length) chat.setState({ typing: Object.fromEntries(left) });
}
