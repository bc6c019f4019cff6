/**
 * The way between one browser and the server, which can be cut: open connections break and new ones are refused.
 *
 * Chromium's own `setOffline` leaves WebSockets open and does not reach service workers.
 */

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Line {
  readonly #open = new Set<Socket>();
  readonly #to: number;
  #listener: Server | undefined;
  #port = 0;

  private constructor(to: number) {
    this.#to = to;
  }

  /** `url` is that of the server. */
  static async laid(url: string): Promise<Line> {
    const line = new Line(Number(new URL(url).port));
    await line.mend();
    return line;
  }

  /** What the browser takes for the server. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async cut(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener === undefined) return;
    listener.close();
    for (const socket of this.#open) socket.destroy();
    await once(listener, "close");
  }

  /** On the same port as before. */
  async mend(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = createServer((socket) => this.#relay(socket)).listen(this.#port, "127.0.0.1");
    this.#listener = listener;
    await once(listener, "listening");
    this.#port = (listener.address() as AddressInfo).port;
  }

  #relay(near: Socket): void {
    const far = connect(this.#to, "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#open.add(one);
      one.setNoDelay(true);
      // Either end may break at any time, that is what it is for; then the other one hears of it.
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
