/** Invitations as people hold them: a link, or the token in it. */

const PREFIX = "#/join/";
// As the server makes them; anything around it is a link, or what a mail program made of one.
const TOKEN = /inv_[A-Za-z0-9_-]+/;

/** The token in the address bar. */
export function invitationInAddress(): string | undefined {
  const { hash } = location;
  if (!hash.startsWith(PREFIX)) return undefined;
  // What is no token goes to the server, too, which then says that it is worth nothing.
  return invitationIn(hash) ?? (hash.slice(PREFIX.length) || undefined);
}

/** Take it out of the address bar and of the history: it opens the server to whoever reads it over a shoulder. */
export function hideInvitation(): void {
  if (location.hash.startsWith(PREFIX)) history.replaceState(history.state, "", location.pathname + location.search);
}

/** The opposite: as if its link had been followed just now. */
export function showInvitation(token: string): void {
  location.replace(PREFIX + token);
}

/** What somebody pasted: a link or a token. */
export function invitationIn(text: string): string | undefined {
  return TOKEN.exec(text)?.[0];
}
