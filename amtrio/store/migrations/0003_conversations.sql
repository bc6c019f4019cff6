-- Conversations, their members and messages. Every access check and every announcement goes through `member`.

CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    user_key TEXT NOT NULL REFERENCES account (key),
    agent_key TEXT NOT NULL REFERENCES account (key),
    title TEXT,
    is_default INTEGER NOT NULL DEFAULT 1 CHECK (is_default IN (0, 1)),
    last_seq BIGINT NOT NULL DEFAULT 0,
    -- Orders lists by latest activity; a counter over all conversations, since clocks jump.
    activity BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);
CREATE INDEX conversation_by_activity ON conversation (activity);
CREATE UNIQUE INDEX conversation_default ON conversation (user_key, agent_key) WHERE is_default = 1;

-- delivered_up_to and read_up_to are conversation sequence numbers.
CREATE TABLE member (
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    account_key TEXT NOT NULL REFERENCES account (key),
    role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'member')),
    joined_at_seq BIGINT NOT NULL DEFAULT 0,
    left_at_seq BIGINT,
    delivered_up_to BIGINT NOT NULL DEFAULT 0,
    read_up_to BIGINT NOT NULL DEFAULT 0,
    read_us BIGINT,
    pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    muted_until_us BIGINT,
    PRIMARY KEY (conversation_id, account_key)
);
CREATE INDEX member_by_account ON member (account_key, conversation_id);

CREATE TABLE message (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    sender_key TEXT NOT NULL REFERENCES account (key),
    client_id TEXT,
    digest TEXT,
    kind TEXT NOT NULL DEFAULT 'text',
    content TEXT NOT NULL,
    content_format TEXT NOT NULL DEFAULT 'markdown',
    metadata TEXT,
    reply_to_id TEXT,
    thread_root_id TEXT,
    created_us BIGINT NOT NULL,
    edited_us BIGINT,
    deleted_us BIGINT,
    deleted_by_key TEXT,
    expires_us BIGINT
);
CREATE UNIQUE INDEX message_in_conversation ON message (conversation_id, seq);
CREATE UNIQUE INDEX message_client_id ON message (sender_key, client_id) WHERE client_id IS NOT NULL;

-- What a message said before it was edited; version 1 is the first text.
CREATE TABLE message_version (
    message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    written_us BIGINT NOT NULL,
    PRIMARY KEY (message_id, version)
);

-- Commands other than `message` that came with a client_id: the answer they got, for 30 days.
CREATE TABLE command_done (
    account_key TEXT NOT NULL REFERENCES account (key),
    client_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    done_us BIGINT NOT NULL,
    PRIMARY KEY (account_key, client_id)
);
CREATE INDEX command_done_by_age ON command_done (done_us);
