/** What a message answers, in two lines; a click leads there. */

import { createContext, useContext } from "react";
import type { Message } from "@amtrio/client";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./message.module.css";
import { filesIn, inOneLine, useMessageText } from "./message-text.ts";
import { useQuoted } from "./quoted.ts";
import type { Quote } from "./rows.ts";
import { words } from "./words.ts";

// Two lines of a wide bubble.
const SHOWN_AT_MOST = 160;

/** Scrolls to a message of this conversation, wherever it is. */
export const Reveal = createContext<(messageId: string) => void>(() => undefined);

interface QuoteProps {
  readonly quote: Quote;
  readonly agentName: string;
}

export function QuoteButton({ quote, agentName }: QuoteProps) {
  const reveal = useContext(Reveal);
  const message = useQuoted(quote);
  return (
    <button type="button" className={styles["quote"]} onClick={() => reveal(quote.messageId)}>
      {message === undefined ? <Earlier /> : <Quoted message={message} agentName={agentName} />}
    </button>
  );
}

/** As high as what will most likely stand there. */
function Earlier() {
  const t = useWords(words);
  return (
    <>
      <span className={styles["quoteSender"]}>{t("earlier")}</span>
      <span className={styles["quoteText"]} aria-hidden>
        …
      </span>
    </>
  );
}

function Quoted({ message, agentName }: { readonly message: Message; readonly agentName: string }) {
  const t = useWords(words);
  const text = useMessageText(message);
  const shown = message.deleted ? t("deletedOne") : text === null ? t("unreadable") : inOneLine(text ?? "", SHOWN_AT_MOST);
  const files = useChat((state) => filesIn(state.sealedFiles, message).length);
  return (
    <>
      <span className={styles["quoteSender"]}>{message.sender_type === "client" ? t("you") : agentName}</span>
      <span className={styles["quoteText"]}>{shown || t("file", { n: files })}</span>
    </>
  );
}
