/**
 * An answer in the making, said by a test, part by part. It goes on over lost connections as a good agent's does.
 *
 * Source: docs/protocol.md, "Runs".
 */

import { countCodePoints, sliceCodePoints, type Connection, type EventData, type Meta, type Outcome } from "@amtrio/client";

interface Part {
  readonly kind: string;
  meta: Meta | undefined;
  text: string;
  /** Code points that have left. */
  sent: number;
  isMetaSent: boolean;
}

type Control = EventData["run_control"];
export interface Pace {
  /** Pause after each word; 0 says everything at once. */
  readonly everyMs?: number;
}

export class ScriptedRun {
  readonly #connection: Connection;
  readonly id: string;
  readonly conversationId: string;
  readonly #parts: Part[] = [];
  readonly #controls: Control[] = [];
  /** Nothing is said until it has been resumed. */
  #isHeld = false;
  #isOver = false;
  #heard: () => void = () => {};

  constructor(connection: Connection, id: string, conversationId: string) {
    this.#connection = connection;
    this.id = id;
    this.conversationId = conversationId;
  }

  /** Text of the answer; goes on with the part before if that is text. */
  async say(text: string, pace: Pace = {}): Promise<void> {
    const last = this.#parts.length - 1;
    await this.write(this.#parts[last]?.kind === "text" ? last : this.part("text"), text, pace);
  }

  async think(text: string, { title, ...pace }: Pace & { title?: string } = {}): Promise<void> {
    await this.write(this.part("reasoning", title === undefined ? {} : { title }), text, pace);
  }

  /** Begins a tool; its number, for `write` and `change`. */
  tool(name: string, meta: Meta = {}): number {
    return this.part("tool", { name, state: "running", ...meta });
  }

  plan(...items: { text: string; state: "pending" | "running" | "done" }[]): number {
    return this.part("plan", { items });
  }

  status(text: string): number {
    return this.part("status", { text });
  }

  /** Begin any part; its number. */
  part(kind: string, meta?: Meta): number {
    this.#parts.push({ kind, meta, text: "", sent: 0, isMetaSent: kind === "text" });
    this.#flush();
    return this.#parts.length - 1;
  }

  /** Replace fields of a part's meta: `run.change(tool, { state: "done", result: "ok" })`. */
  change(part: number, meta: Meta): void {
    const changed = this.#parts[part]!;
    changed.meta = { ...changed.meta, ...meta };
    changed.isMetaSent = false;
    this.#flush();
  }

  async write(part: number, text: string, { everyMs = 0 }: Pace = {}): Promise<void> {
    const pieces = everyMs === 0 ? [text] : text.match(/\s*\S+\s*/g) ?? [text];
    for (const piece of pieces) {
      this.#parts[part]!.text += piece;
      this.#flush();
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  /** The id of the message it became; null if nothing was said. */
  async finish(outcome: Outcome = "done", more: { error?: string; usage?: Meta } = {}): Promise<string | null> {
    const { message_id } = await this.#connection.send("run_finish", { run_id: this.id, outcome, ...more });
    this.#isOver = true;
    return message_id;
  }

  /** The next stop or steer of the person that nobody has waited for; it is acknowledged already. */
  async control(): Promise<Control> {
    for (;;) {
      const next = this.#controls.shift();
      if (next !== undefined) return next;
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  /** The agent's: a person stops or steers. */
  controlled(control: Control): void {
    this.#connection.tell("run_control_ack", { run_id: this.id, control_id: control.control_id });
    this.#controls.push(control);
    this.#heard();
  }

  /** The agent's: the socket is gone. */
  lost(): void {
    this.#isHeld = true;
  }

  /** The agent's: there is another socket. */
  async resume(): Promise<void> {
    if (!this.#isHeld || this.#isOver) return;
    const state = await this.#connection.send("run_resume", { run_id: this.id });
    this.#parts.forEach((part, number) => {
      part.sent = state.parts.find((each) => each.part === number)?.offset ?? 0;
      part.isMetaSent = part.kind === "text";
    });
    this.#isHeld = false;
    this.#flush();
  }

  #flush(): void {
    if (this.#isHeld) return;
    this.#parts.forEach(({ kind, meta, text, sent, isMetaSent }, number) => {
      const part = this.#parts[number]!;
      if (!isMetaSent) {
        const fields = { run_id: this.id, part: number, kind, ...(meta === undefined ? {} : { meta }) };
        part.isMetaSent = this.#connection.tell("run_part", fields);
      }
      const length = countCodePoints(text);
      if (length === sent) return;
      const rest = { run_id: this.id, part: number, offset: sent, text: sliceCodePoints(text, sent, length) };
      if (this.#connection.tell("run_append", rest)) part.sent = length;
    });
  }
}
