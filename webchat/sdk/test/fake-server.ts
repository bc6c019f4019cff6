/**
 * The other end of a WebSocket, played by a test.
 *
 * Knows what a WebSocket does, and nothing of how the client is made.
 */

import { readFrame, type Frame } from "../src/frames.js";
import type { SocketEvent, WebSocketConstructor, WebSocketLike } from "../src/socket.js";

export const LIMITS = { max_message_bytes: 65_536, ping_every_s: 25, dead_after_s: 60 };

export class FakeSocket implements WebSocketLike {
  protocol = "v2";
  readonly url: string;
  readonly heard: Frame[] = [];
  isOver = false;
  readonly #listeners: { type: string; listener: (event: SocketEvent) => void }[] = [];

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.push({ type, listener });
  }

  send(text: string): void {
    this.heard.push(readFrame(text)!);
  }

  close(): void {
    this.isOver = true;
  }

  /** What the client said, of one type. */
  said(type: string): Frame["data"][] {
    return this.heard.filter((frame) => frame.type === type).map((frame) => frame.data);
  }

  opens(protocol = "v2"): void {
    this.protocol = protocol;
    this.#tell("open", {});
  }

  /** Open, and be let in at this place of the log. */
  lets(seq: number, epoch = "ep", more: object = {}): void {
    this.opens();
    const data = { id: "usr_01", kind: "user", epoch, seq, head: seq, limits: LIMITS, capabilities: [], ...more };
    this.says({ type: "connected", data });
  }

  says(frame: object): void {
    this.#tell("message", { data: JSON.stringify(frame) });
  }

  /** Events of the log that say nothing, from one number to another. */
  logs(from: number, to: number = from): void {
    for (let seq = from; seq <= to; seq += 1) {
      this.says({ type: "conversation_deleted", seq, data: { conversation_id: `conv_${seq}` } });
    }
  }

  /** Answer the newest command of a type. */
  answers(type: string, answer: string, data: object): void {
    this.says({ type: answer, ref: this.heard.findLast((frame) => frame.type === type)!.ref, data });
  }

  drops(code = 1006, reason = ""): void {
    this.isOver = true;
    this.#tell("close", { code, reason });
  }

  #tell(type: string, event: SocketEvent): void {
    for (const each of this.#listeners) if (each.type === type) each.listener(event);
  }
}

export class FakeServer {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: WebSocketConstructor;

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url);
        if (protocols.join() !== "v2") throw new Error(`asked for ${protocols.join()}`);
        sockets.push(this);
      }
    };
  }

  /** The socket that was opened last. */
  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }
}
