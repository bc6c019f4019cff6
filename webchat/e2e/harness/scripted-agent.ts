/**
 * An agent whose part the test plays: it hears what people say and answers what the test tells it to.
 *
 * Built on the SDK, as anybody's agent would be.
 */

import {
  connect,
  newClientId,
  type AgentInfo,
  type AmtrioEvent,
  type Connection,
  type EventType,
  type Message,
  type MessageSent,
  type Meta,
  type OpenQuestion,
} from "@amtrio/client";
import { ScriptedRun } from "./scripted-run.ts";

/** A conversation's id, a message in it, or a person. */
export type Where = string | Message | { readonly user_id: string };
/** Sees to it that a person has a conversation with this agent: agents cannot begin one. */
export type Introduce = (userId: string) => Promise<unknown>;
type Of<Type extends EventType> = Extract<AmtrioEvent, { type: Type }>["data"];

/** What it says of itself unless the test knows better. */
const CARD: Partial<AgentInfo> = { supports: ["stop", "steer", "queue", "attachments", "questions"] };

export class ScriptedAgent {
  readonly id: string;
  readonly token: string;
  readonly connection: Connection;
  /** All that its log and the moment told it. */
  readonly events: AmtrioEvent[] = [];
  /** What people said, as often as it came. */
  readonly received: Message[] = [];
  /** False: it hears stops and steers and says nothing, like a program that hangs. */
  acknowledges = true;
  readonly #introduce: Introduce;
  readonly #runs = new Map<string, ScriptedRun>();
  readonly #waiting: Message[] = [];
  readonly #looks = new Set<() => void>();
  #reply: ((message: Message) => Promise<unknown>) | undefined;
  #failure: unknown;
  #resumed: Promise<unknown> = Promise.resolve();

  private constructor(url: string, id: string, token: string, introduce: Introduce) {
    this.#introduce = introduce;
    this.id = id;
    this.token = token;
    this.connection = connect({ url, token, agentId: id, hints: null, random: () => 0 });
    void this.#listen();
  }

  /** Resolves when it is online and its card is known. */
  static async connected(
    { url, id, token }: { url: string; id: string; token: string },
    card: Partial<AgentInfo>,
    introduce: Introduce,
  ): Promise<ScriptedAgent> {
    const agent = new ScriptedAgent(url, id, token, introduce);
    await agent.wait("online");
    await agent.card({ ...CARD, ...card });
    return agent;
  }

  /** The first event of a type that fits, also if it has come already. */
  async wait<Type extends EventType>(type: Type, fits: (data: Of<Type>) => boolean = () => true): Promise<Of<Type>> {
    return this.#until(() => {
      const found = this.events.find((event) => event.type === type && fits(event.data as never));
      return found?.data as Of<Type> | undefined;
    });
  }

  /** The next message of a person, in order, that was not returned before. */
  async nextMessage(): Promise<Message> {
    return this.#until(() => this.#waiting.shift());
  }

  /** Answer all that people say from now on by itself; `nextMessage` then has nothing. */
  onMessage(reply: (message: Message) => Promise<unknown>): void {
    this.#reply = reply;
    for (const message of this.#waiting.splice(0)) void this.#answer(message);
  }

  async send(where: Where, content: string, more: { reply_to?: string; metadata?: Meta; attachment_ids?: string[] } = {}): Promise<MessageSent> {
    return this.connection.send("message", { ...(await this.#place(where)), content, ...more });
  }

  async ask(where: Where, content: string, question: OpenQuestion): Promise<MessageSent> {
    return this.connection.send("message", { ...(await this.#place(where)), content, question });
  }

  /** The answer to what `ask` asked. */
  async answerTo(asked: MessageSent): Promise<Of<"question_answered">> {
    return this.wait("question_answered", ({ message_id }) => message_id === asked.message_id);
  }

  async edit(messageId: string, content: string): Promise<void> {
    await this.connection.send("edit", { message_id: messageId, content });
  }

  async remove(messageId: string): Promise<void> {
    await this.connection.send("delete", { message_id: messageId });
  }

  async react(messageId: string, emoji: string, on = true): Promise<void> {
    await this.connection.send("react", { message_id: messageId, emoji, on });
  }

  /** Its mark moves to this message. */
  async read(message: Message): Promise<void> {
    const { conversation_id, message_id } = message;
    await this.connection.send("read", { conversation_id, message_id });
  }

  typing(conversationId: string, typing = true): void {
    this.connection.tell("typing", { conversation_id: conversationId, typing });
  }

  status(status: "online" | "busy" | "idle" | "offline", text?: string): void {
    this.connection.tell("status", text === undefined ? { status } : { status, text });
  }

  /** What people see of it: name, description, commands, what it supports. */
  async card(card: Partial<AgentInfo>): Promise<void> {
    await this.connection.send("card", card);
  }

  /** Begin to answer a message, or just to talk in a conversation. */
  async run(where: Message | string): Promise<ScriptedRun> {
    const conversation_id = typeof where === "string" ? where : where.conversation_id;
    const run_id = newClientId();
    const reply = typeof where === "string" ? {} : { reply_to: where.message_id };
    const run = new ScriptedRun(this.connection, run_id, conversation_id);
    this.#runs.set(run_id, run);
    await this.connection.send("run_start", { run_id, conversation_id, ...reply });
    return run;
  }

  /** Resolves when it is connected (again), and its runs go on where the server has them. */
  async back(): Promise<void> {
    await this.#until(() => (this.connection.isOnline ? true : undefined));
    await this.#resumed;
  }

  /** Goes offline, for good. */
  async close(): Promise<void> {
    await this.connection.close();
  }

  async #listen(): Promise<void> {
    try {
      for await (const event of this.connection) this.#hear(event);
    } catch (error) {
      this.#failure = error;
      this.#look();
    }
  }

  #hear(event: AmtrioEvent): void {
    this.events.push(event);
    if (event.type === "message" && event.data.sender_type === "client") {
      this.received.push(event.data);
      if (this.#reply === undefined) this.#waiting.push(event.data);
      else void this.#answer(event.data);
    }
    if (event.type === "offline") for (const run of this.#runs.values()) run.lost();
    // A run that has ended in the meantime cannot be resumed, which is no fault of the test.
    if (event.type === "online") this.#resumed = Promise.allSettled([...this.#runs.values()].map((run) => run.resume()));
    if (event.type === "run_control" && this.acknowledges) this.#runs.get(event.data.run_id)?.controlled(event.data);
    this.#look();
  }

  async #answer(message: Message): Promise<void> {
    try {
      await this.#reply!(message);
    } catch (error) {
      this.#failure = error;
      this.#look();
    }
  }

  async #until<Value>(find: () => Value | undefined): Promise<Value> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => this.#looks.add(resolve));
    }
  }

  #look(): void {
    const looks = [...this.#looks];
    this.#looks.clear();
    for (const look of looks) look();
  }

  async #place(where: Where): Promise<{ conversation_id: string } | { user_id: string }> {
    if (typeof where === "string") return { conversation_id: where };
    if ("message_id" in where) return { conversation_id: where.conversation_id };
    await this.#introduce(where.user_id);
    return { user_id: where.user_id };
  }
}
