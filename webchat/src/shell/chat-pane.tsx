/** A conversation with the composer under it: what it takes to read and write, in one file that comes behind the list. */

import { DropZone } from "../attachments/drop-zone.tsx";
import { Composer } from "../composer/composer.tsx";
import { ConversationView } from "../conversation/conversation-view.tsx";
import styles from "./chat-pane.module.css";

interface ChatPaneProps {
  readonly conversationId: string;
  readonly messageId: string | undefined;
}

export default function ChatPane({ conversationId, messageId }: ChatPaneProps) {
  return (
    <DropZone conversationId={conversationId} className={styles["pane"]}>
      <ConversationView conversationId={conversationId} messageId={messageId} />
      <Composer conversationId={conversationId} />
    </DropZone>
  );
}
