/** A text in Markdown, whole or while it is being written. */

import { memo, useState } from "react";
import { BlockView } from "./block-view.tsx";
import type { Group } from "./blocks.ts";
import { GrowingText } from "./growing-text.ts";
import styles from "./markdown.module.css";
import { parsed } from "./parsed.ts";

interface MarkdownProps {
  readonly text: string;
  /** Words still arrive. */
  readonly isLive: boolean;
  /** Shows where the next words will stand. */
  readonly hasCaret?: boolean;
}

export const Markdown = memo(function Markdown({ text, isLive, hasCaret = isLive }: MarkdownProps) {
  const [growing] = useState(() => new GrowingText());
  const { groups, references } = isLive ? growing.read(text) : parsed(text);
  return (
    // From right to left, if its first letter is written so.
    <div
      className={styles["markdown"]}
      dir="auto"
      data-live={isLive || undefined}
      data-caret-shown={hasCaret || undefined}
    >
      {groups.map((blocks, at) => (
        <Blocks key={at} blocks={blocks} references={references} isGrowing={isLive && at === groups.length - 1} />
      ))}
    </div>
  );
});

interface BlocksProps {
  readonly blocks: Group;
  readonly references: string;
  readonly isGrowing: boolean;
}

const Blocks = memo(function Blocks({ blocks, references, isGrowing }: BlocksProps) {
  return blocks.map(({ token, level }, at) => (
    <BlockView
      key={at}
      token={token}
      level={level}
      references={references}
      isGrowing={isGrowing && at === blocks.length - 1}
    />
  ));
});
