/** Which addresses a text may lead to. */

const SAFE = new Set(["http:", "https:", "mailto:"]);

export interface Address {
  /** As the browser understands it: what was checked is what is opened. */
  readonly href: string;
  /** Where it leads, for people to compare with what the link says. */
  readonly place: string;
}

/** Undefined for everything but the web and mail; paths of some machine, too. */
export function addressOf(href: string): Address | undefined {
  if (!URL.canParse(href)) return undefined;
  const url = new URL(href);
  if (!SAFE.has(url.protocol)) return undefined;
  return { href: url.href, place: url.protocol === "mailto:" ? decoded(url.pathname) : url.host };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
