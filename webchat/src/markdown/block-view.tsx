/** Blocks of Markdown as elements. One whose text is the same as before is not drawn again. */

import { memo, type ReactNode } from "react";
import { useWords } from "../i18n/words.ts";
import { CodeBlock } from "./code-block.tsx";
import { within, type MarkedToken, type Tokens } from "./grammar.ts";
import { Checkbox, Inline } from "./inline.tsx";
import styles from "./markdown.module.css";
import { words } from "./words.ts";

interface BlockProps {
  readonly token: MarkedToken;
  /** Of a heading; 0: it does not count for the outline, since it stands in a quote or an item. */
  readonly level: number;
  readonly references: string;
  /** More text is written at its end. */
  readonly isGrowing: boolean;
  /** The words of an item stand beside its mark without a paragraph of their own. */
  readonly isTight?: boolean;
}

export const BlockView = memo(
  function BlockView({ token, level, references, isGrowing, isTight = false }: BlockProps): ReactNode {
    const caret = isGrowing || undefined;
    switch (token.type) {
      case "paragraph":
        return (
          <p data-caret={caret}>
            <Inline tokens={within(token)} />
          </p>
        );
      case "text":
        return <Words token={token} isTight={isTight} caret={caret} />;
      case "heading":
        return <Heading token={token} level={level} caret={caret} />;
      case "code":
        return <CodeBlock text={token.text} language={languageOf(token.lang)} isOpen={isGrowing && !isFenced(token.raw)} />;
      case "blockquote":
        return (
          <blockquote>
            <Blocks tokens={within(token)} references={references} isGrowing={isGrowing} />
          </blockquote>
        );
      case "list":
        return <List token={token} references={references} isGrowing={isGrowing} />;
      case "table":
        return <Table token={token} />;
      case "hr":
        return <hr />;
      case "checkbox":
      case "space":
      case "def":
        return null;
      default:
        return (
          <p className={styles["typed"]} data-caret={caret}>
            {token.raw}
          </p>
        );
    }
  },
  (before, after) =>
    (before.token === after.token || (before.token.type === after.token.type && before.token.raw === after.token.raw)) &&
    before.level === after.level &&
    before.references === after.references &&
    before.isGrowing === after.isGrowing &&
    before.isTight === after.isTight,
);

interface BlocksProps {
  readonly tokens: readonly MarkedToken[];
  readonly references: string;
  readonly isGrowing: boolean;
  readonly isTight?: boolean;
}

function Blocks({ tokens, references, isGrowing, isTight = false }: BlocksProps) {
  const shown = tokens.filter(({ type }) => type !== "space" && type !== "def");
  return shown.map((token, at) => (
    <BlockView
      key={at}
      token={token}
      level={0}
      references={references}
      isGrowing={isGrowing && at === shown.length - 1}
      isTight={isTight}
    />
  ));
}

function Words({ token, isTight, caret }: { token: Tokens.Text; isTight: boolean; caret: true | undefined }) {
  const inside = <Inline tokens={token.tokens === undefined ? [token] : within(token)} />;
  if (!isTight) return <p data-caret={caret}>{inside}</p>;
  // The same element with and without the caret: what was selected in it stays selected.
  return <span data-caret={caret}>{inside}</span>;
}

function Heading({ token, level, caret }: { token: Tokens.Heading; level: number; caret: true | undefined }) {
  const inside = <Inline tokens={within(token)} />;
  if (level === 0) {
    return (
      <p data-caret={caret}>
        <strong>{inside}</strong>
      </p>
    );
  }
  const Element = `h${level}` as "h3" | "h4" | "h5" | "h6";
  return <Element data-caret={caret}>{inside}</Element>;
}

function List({ token, references, isGrowing }: { token: Tokens.List; references: string; isGrowing: boolean }) {
  const items = token.items.map((item, at) => (
    <Item
      key={at}
      item={item}
      isLoose={token.loose}
      references={references}
      isGrowing={isGrowing && at === token.items.length - 1}
    />
  ));
  if (!token.ordered) return <ul>{items}</ul>;
  return <ol start={token.start === "" || token.start === 1 ? undefined : token.start}>{items}</ol>;
}

interface ItemProps {
  readonly item: Tokens.ListItem;
  readonly isLoose: boolean;
  readonly references: string;
  readonly isGrowing: boolean;
}

const Item = memo(
  function Item({ item, isLoose, references, isGrowing }: ItemProps) {
    return (
      <li className={item.task ? styles["task"] : undefined}>
        {item.task && <Checkbox isChecked={item.checked === true} />}
        <Blocks tokens={within(item)} references={references} isGrowing={isGrowing} isTight={!isLoose} />
      </li>
    );
  },
  (before, after) =>
    (before.item === after.item || before.item.raw === after.item.raw) &&
    before.isLoose === after.isLoose &&
    before.references === after.references &&
    before.isGrowing === after.isGrowing,
);

function Table({ token }: { readonly token: Tokens.Table }) {
  const t = useWords(words);
  const alignment = (at: number): string | undefined => token.align[at] ?? undefined;
  return (
    // A stop for the keyboard, because it can be scrolled.
    <div className={styles["table"]} role="group" aria-label={t("table")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {token.header.map((cell, at) => (
              <th key={at} scope="col" data-align={alignment(at)} data-long={isLong(cell)}>
                <Inline tokens={within(cell)} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, rowAt) => (
            <tr key={rowAt}>
              {row.map((cell, at) => (
                <td key={at} data-align={alignment(at)} data-long={isLong(cell)}>
                  <Inline tokens={within(cell)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// As much as stands in the least width of a cell: markdown.module.css.
const SHORT_CHARACTERS = 16;

/** It is given some width, also where the table scrolls for that; otherwise each of its words has a line of its own. */
function isLong({ text }: Tokens.TableCell): true | undefined {
  return text.length > SHORT_CHARACTERS || undefined;
}

/** `python:src/main.py {2-4}` is python. */
function languageOf(info: string | undefined): string {
  return /^[^\s{:,(]*/.exec(info ?? "")![0];
}

/** The fence has its second half; a block that is indented instead has none, and is as good as closed. */
function isFenced(raw: string): boolean {
  const [, marks] = /^ {0,3}(`{3,}|~{3,})/.exec(raw) ?? [];
  if (marks === undefined) return true;
  const lines = raw.trimEnd().split("\n");
  return lines.length > 1 && lines.at(-1)!.trim().startsWith(marks);
}
