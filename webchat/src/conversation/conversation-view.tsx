/** One conversation: its header, its messages and what one writes into. */

export interface ConversationViewProps {
  readonly conversationId: string;
  readonly messageId?: string | undefined;
}

export function ConversationView({ conversationId, messageId }: ConversationViewProps) {
  return <article data-conversation={conversationId} data-message={messageId} />;
}
