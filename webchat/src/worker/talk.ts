/** What pages and the service worker say to each other. */

/** To the worker: take over from the one before, the page is about to load anew. */
export interface Activate {
  readonly type: "activate";
}

/** To a page: somebody clicked a notification. */
export interface Open {
  readonly type: "open";
  readonly url: string;
}

/** To a page: does a person look at this conversation right now? Answered with a boolean on the port that comes along. */
export interface Looking {
  readonly type: "looking";
  readonly conversationId: string;
}

export type ToPage = Open | Looking;
