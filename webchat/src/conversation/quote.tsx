/** What a message answers, in two lines; a click leads there. */

import { createContext, useContext, useEffect } from "react";
import type { Message } from "@amtrio/client";
import { useActions } from "../engine/actions.ts";
import { useChat } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./message.module.css";
import { filesIn, inOneLine, useMessageText } from "./message-text.ts";
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

/** Undefined until it has been fetched from wherever it is. */
function useQuoted({ messageId, message: near }: Quote): Message | undefined {
  const actions = useActions();
  const far = useChat((state) => state.quoted[messageId]);
  const isOnline = useChat((state) => state.link.kind === "online");
  const message = near ?? far;
  const isMissing = message === undefined;
  useEffect(() => {
    if (isMissing) actions.loadQuoted(messageId);
    // Without a connection it may not be to be had; with one it is asked for once more.
  }, [actions, messageId, isMissing, isOnline]);
  return message;
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
