/**
 * One open conversation, all of it but the composer: whom it is with, what was said, and what can be done about it.
 */

import { lazy, Suspense, useEffect, useMemo } from "react";
import { Spinner } from "../design/spinner.tsx";
import { useActions } from "../engine/actions.ts";
import { useChat, type ChatConversation } from "../engine/state.ts";
import { useWords } from "../i18n/words.ts";
import styles from "./conversation-view.module.css";
import { Header } from "./header.tsx";
import { useRows } from "./list-rows.ts";
import { MessageList } from "./message-list.tsx";
import { closeAll, useOpened } from "./opened.ts";
import type { Author } from "./row-frame.tsx";
import { SecrecyBanner } from "./secrecy-banner.tsx";
import { useSilentStop } from "./silent-stop.ts";
import { words } from "./words.ts";

const MessageMenu = lazy(() => import("./message-menu.tsx"));
const ConversationDialog = lazy(() => import("./dialogs/conversation-dialog.tsx"));

interface ConversationViewProps {
  readonly conversationId: string;
  /** To be shown first, and pointed at. */
  readonly messageId?: string | undefined;
}

export function ConversationView({ conversationId, messageId }: ConversationViewProps) {
  const actions = useActions();
  const conversation = useChat((state) => state.conversations[conversationId]);
  useEffect(() => {
    actions.show(conversationId);
    return closeAll;
  }, [actions, conversationId]);
  // Deleted in this moment: the shell, which shows it only as long as it is there, says so.
  if (conversation === undefined) return null;
  return <Conversation key={conversationId} conversation={conversation} messageId={messageId} />;
}

interface ConversationProps {
  readonly conversation: ChatConversation;
  readonly messageId: string | undefined;
}

function Conversation({ conversation, messageId }: ConversationProps) {
  const t = useWords(words);
  const { conversation_id: conversationId, agent_id: agentId } = conversation;
  const agentName = useChat((state) => state.agents[agentId]?.name || agentId);
  const menu = useOpened((opened) => opened.menu);
  const dialog = useOpened((opened) => opened.dialog);
  return (
    <section className={styles["view"]} aria-label={t("conversation", { name: agentName })}>
      <Header conversation={conversation} agentName={agentName} />
      <SecrecyBanner conversationId={conversationId} agentName={agentName} />
      <h2 className="visually-hidden">{t("messages")}</h2>
      <Messages conversationId={conversationId} messageId={messageId} agentId={agentId} agentName={agentName} />
      <Suspense>
        {menu !== undefined && <MessageMenu key={menu.message.message_id} menu={menu} />}
        {dialog !== undefined && <ConversationDialog dialog={dialog} conversation={conversation} agentName={agentName} />}
      </Suspense>
    </section>
  );
}

interface MessagesProps extends Author {
  readonly conversationId: string;
  readonly messageId: string | undefined;
}

function Messages({ conversationId, messageId, agentId, agentName }: MessagesProps) {
  const timeline = useChat((state) => state.timelines[conversationId]);
  const rows = useRows(conversationId);
  useSilentStop(conversationId);
  const author = useMemo((): Author => ({ agentId, agentName }), [agentId, agentName]);
  if (timeline === undefined) return <LoadingMessages />;
  return (
    <MessageList
      conversationId={conversationId}
      messageId={messageId}
      author={author}
      timeline={timeline}
      rows={rows}
    />
  );
}

function LoadingMessages() {
  const t = useWords(words);
  return (
    <div className={styles["empty"]}>
      <Spinner label={t("loading")} />
    </div>
  );
}
