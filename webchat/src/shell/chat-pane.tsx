/** A conversation with the composer under it: what it takes to read and write, in one file that comes behind the list. */

import { useRef } from "react";
import { DropZone } from "../attachments/drop-zone.tsx";
import { Composer } from "../composer/composer.tsx";
import { ConversationView } from "../conversation/conversation-view.tsx";
import { useMarks } from "../finding/marks.ts";
import styles from "./chat-pane.module.css";

interface ChatPaneProps {
  readonly conversationId: string;
  readonly messageId: string | undefined;
  /** What the message was found by. */
  readonly query: string;
}

export default function ChatPane({ conversationId, messageId, query }: ChatPaneProps) {
  const view = useRef<HTMLDivElement>(null);
  useMarks(view, query);
  return (
    <DropZone conversationId={conversationId} className={styles["pane"]}>
      <div ref={view} className={styles["view"]}>
        <ConversationView conversationId={conversationId} messageId={messageId} />
      </div>
      <Composer conversationId={conversationId} />
    </DropZone>
  );
}
