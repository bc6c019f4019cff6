/** Which addresses the app itself answers. Everything else is the server's: its API, its documents, its files. */

const ROUTES = /^\/(index\.html|(c|settings|manage|find)(\/.*)?)?$/;

export function isAppRoute(path: string): boolean {
  return ROUTES.test(path);
}

/** Where a message is shown. */
export function messageUrl(conversationId: string, messageId?: string): string {
  const path = `/c/${encodeURIComponent(conversationId)}`;
  return messageId === undefined ? path : `${path}?m=${encodeURIComponent(messageId)}`;
}

/** The conversation that an address shows. */
export function conversationAt(path: string): string | undefined {
  const id = /^\/c\/([^/]+)/.exec(path)?.[1];
  return id === undefined ? undefined : decodeURIComponent(id);
}
