-- What hangs on messages and conversations.

-- What a message may carry beside its text. `extras` says where to look, so that the many messages without any cost no
-- further look: 1 = attachments, 2 = reactions.

ALTER TABLE message ADD COLUMN extras INTEGER NOT NULL DEFAULT 0;

-- JSON of what a recipient needs to decrypt `content`; only messages of kind 'encrypted' have it.
ALTER TABLE message ADD COLUMN envelope TEXT;

CREATE TABLE reaction (
    message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    account_key TEXT NOT NULL REFERENCES account (key),
    emoji TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (message_id, account_key, emoji)
);

-- Labels of one member's own; the other side does not see them.
CREATE TABLE conversation_tag (
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    account_key TEXT NOT NULL REFERENCES account (key),
    tag TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, account_key, tag)
);
CREATE INDEX conversation_tag_by_account ON conversation_tag (account_key, tag);

-- What was archived: everything up to this conversation sequence number. A later message brings the conversation back.
ALTER TABLE member ADD COLUMN archived_up_to BIGINT NOT NULL DEFAULT 0;

-- Which conversation a kept answer is about: its texts are forgotten together with what they came from.
ALTER TABLE command_done ADD COLUMN conversation_id TEXT;
CREATE INDEX command_done_by_conversation ON command_done (conversation_id) WHERE conversation_id IS NOT NULL;
