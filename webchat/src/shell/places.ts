/** The addresses within the app, for pages and the service worker. Knows nothing of what is shown there, and imports nothing. */

// A slash at the end is the same place to the router.
const CHAT = /^\/c\/([^/]+)\/?$/;

export const LIST = "/";

/** With a message: the chat is opened round it. `query`: what it was found by, to be marked there. */
export function chatPlace(conversationId: string, messageId?: string, query?: string): string {
  const path = `/c/${encodeURIComponent(conversationId)}`;
  if (messageId === undefined) return path;
  const mark = query === undefined ? "" : `&q=${encodeURIComponent(query)}`;
  return `${path}?m=${encodeURIComponent(messageId)}${mark}`;
}

export function settingsPlace(section?: string): string {
  return section === undefined ? "/settings" : `/settings/${section}`;
}

export const MANAGE = "/manage";

export function managePlace(section: string): string {
  return `${MANAGE}/${section}`;
}

export function findPlace(query = ""): string {
  return query === "" ? "/find" : `/find?q=${encodeURIComponent(query)}`;
}

/** The conversation that a path shows; undefined if it shows something else. */
export function conversationAt(path: string): string | undefined {
  const id = CHAT.exec(path)?.[1];
  if (id === undefined) return undefined;
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // Somebody typed a percent sign.
  }
}
