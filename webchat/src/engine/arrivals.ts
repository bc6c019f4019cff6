/** What comes in and is heard at once by whatever wants to ring: not history, not what this account said. */

import type { EventData, Message } from "@amtrio/client";

type Listener<News> = (news: News) => void;

class Told<News> {
  readonly #listeners = new Set<Listener<News>>();

  subscribe(listener: Listener<News>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }
}

/** New messages of others. */
export const arrivals = new Told<Message>();
/** When this account is to be left alone, changed on any of its devices. */
export const quietChanges = new Told<EventData["notification_preferences"]>();
