/** What stands in a line: emphasis, code, links. React elements from tokens; no HTML, no request. */

import { Image, Square, SquareCheck } from "lucide-react";
import type { ReactNode } from "react";
import { useWords } from "../i18n/words.ts";
import { addressOf } from "./addresses.ts";
import { withoutEntities } from "./entities.ts";
import { within, type MarkedToken, type Tokens } from "./grammar.ts";
import styles from "./markdown.module.css";
import { words } from "./words.ts";

export function Inline({ tokens }: { readonly tokens: readonly MarkedToken[] }) {
  return elements(tokens);
}

/** `isInLink`: what is a link of its own elsewhere is words here. */
function elements(tokens: readonly MarkedToken[], isInLink = false): ReactNode[] {
  return tokens.map((token, at) => element(token, at, isInLink));
}

function element(token: MarkedToken, key: number, isInLink: boolean): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong key={key}>{elements(within(token), isInLink)}</strong>;
    case "em":
      return <em key={key}>{elements(within(token), isInLink)}</em>;
    case "del":
      return <Struck key={key} token={token} isInLink={isInLink} />;
    case "codespan":
      return <code key={key}>{token.text}</code>;
    case "br":
      return <br key={key} />;
    case "link":
      return isInLink ? elements(within(token), true) : <Link key={key} token={token} />;
    case "image":
      return <ImageLink key={key} token={token} isInLink={isInLink} />;
    case "checkbox":
      // Its item shows it.
      return null;
    case "escape":
      return token.text;
    case "text":
      return token.tokens === undefined ? withoutEntities(token.text) : elements(within(token), isInLink);
    case "html":
      // The one tag that models need: there is no other way to break a line in a table.
      return /^<br ?\/?>$/i.test(token.raw) ? <br key={key} /> : token.raw;
    default:
      return token.raw;
  }
}

/** Two tildes; one is part of a path or an "about". */
function Struck({ token, isInLink }: { readonly token: Tokens.Del; readonly isInLink: boolean }) {
  const inside = elements(within(token), isInLink);
  return token.raw.startsWith("~~") ? <del>{inside}</del> : <>~{inside}~</>;
}

function Link({ token }: { readonly token: Tokens.Link }) {
  const address = addressOf(token.href);
  const label = token.autolink === true ? token.text : elements(within(token), true);
  // A path of the agent's machine, or something that must not be opened: its words stay.
  if (address === undefined) return <span title={token.href}>{label}</span>;
  return (
    <a href={address.href} title={address.place} target="_blank" rel="noopener noreferrer">
      {label}
    </a>
  );
}

/**
 * A picture of another host is not loaded: its address alone can carry away what was said here. It is a link that says
 * where it leads.
 */
function ImageLink({ token, isInLink }: { readonly token: Tokens.Image; readonly isInLink: boolean }) {
  const t = useWords(words);
  const address = addressOf(token.href);
  const label = withoutEntities(token.text) || t("image");
  const inside = (
    <>
      <Image size={14} aria-hidden />
      {label}
      {address !== undefined && <small>{address.place}</small>}
    </>
  );
  if (address === undefined || isInLink) return <span className={styles["image"]}>{inside}</span>;
  return (
    <a className={styles["image"]} href={address.href} title={address.place} target="_blank" rel="noopener noreferrer">
      {inside}
    </a>
  );
}

/** Of an item that is a task. */
export function Checkbox({ isChecked }: { readonly isChecked: boolean }) {
  const t = useWords(words);
  const Icon = isChecked ? SquareCheck : Square;
  return (
    <span className={styles["checkbox"]} role="img" aria-label={t(isChecked ? "done" : "open")} data-checked={isChecked}>
      <Icon size={16} aria-hidden />
    </span>
  );
}
