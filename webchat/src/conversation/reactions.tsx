/** The emoji on a message: how many of each, whose, and own ones taken back by a click. */

import type { Message, Reaction } from "@amtrio/client";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./message.module.css";
import { hasReacted, useMessageCommands } from "./message-commands.ts";
import { words } from "./words.ts";

export function Reactions({ message, agentName }: { readonly message: Message; readonly agentName: string }) {
  const t = useWords(words);
  const userId = useChat((state) => state.self?.userId);
  const commands = useMessageCommands();
  const byEmoji = new Map<string, Reaction[]>();
  for (const each of message.reactions ?? []) byEmoji.set(each.emoji, [...(byEmoji.get(each.emoji) ?? []), each]);
  if (byEmoji.size === 0) return null;
  return (
    <div className={styles["reactions"]} role="group" aria-label={t("reactions")}>
      {[...byEmoji].map(([emoji, all]) => {
        const names = all.map((each) => (each.account_kind === "agent" ? agentName : t("reactedYou")));
        const who = names.length === 1 ? names[0]! : t("andList", { some: names.slice(0, -1).join(", "), last: names.at(-1)! });
        const shown = `${emoji} ${all.length}`;
        const label = t("reaction", { shown, who });
        return (
          <button
            key={emoji}
            type="button"
            className={styles["reaction"]}
            aria-pressed={hasReacted(message, emoji, userId)}
            aria-label={label}
            title={label}
            onClick={() => commands.react(message, emoji)}
          >
            {shown}
          </button>
        );
      })}
    </div>
  );
}
