/** Web Locks of one browser, in which whoever asks is another tab. */

type Work = (lock: object | null) => unknown;

export class Locks {
  readonly #held = new Map<string, Promise<unknown>>();

  async request(name: string, ...rest: [Work] | [{ ifAvailable: boolean }, Work]): Promise<unknown> {
    const work = rest.at(-1) as Work;
    const options = rest.length === 2 ? rest[0] : undefined;
    if (options?.ifAvailable && this.#held.has(name)) return work(null);
    for (let before = this.#held.get(name); before !== undefined; before = this.#held.get(name)) await before;
    const done = Promise.resolve(work({}));
    const over = done.catch(() => undefined).then(() => this.#held.delete(name));
    this.#held.set(name, over);
    await over;
    return done;
  }
}
