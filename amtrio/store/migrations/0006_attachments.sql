-- Files. The row is made before the file and goes after it: `state` says how far it has come, so that a crash leaves
-- neither a row without a file nor a file without a row for ever.

CREATE TABLE attachment (
    id TEXT PRIMARY KEY,
    owner_key TEXT NOT NULL REFERENCES account (key),
    -- The conversation of its message; before that the one that it was uploaded for, if that was said.
    conversation_id TEXT,
    message_id TEXT REFERENCES message (id) ON DELETE SET NULL,
    position INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('uploading', 'stored', 'removing')),
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL DEFAULT '',
    -- While it is uploading: how much room is kept for it in the owner's quota.
    size_bytes BIGINT NOT NULL DEFAULT 0,
    sha256 TEXT NOT NULL DEFAULT '',
    width INTEGER,
    height INTEGER,
    has_thumbnail INTEGER NOT NULL DEFAULT 0 CHECK (has_thumbnail IN (0, 1)),
    created_us BIGINT NOT NULL
);
CREATE INDEX attachment_by_message ON attachment (message_id, position) WHERE message_id IS NOT NULL;
CREATE INDEX attachment_by_conversation ON attachment (conversation_id, id) WHERE conversation_id IS NOT NULL;
CREATE INDEX attachment_by_owner ON attachment (owner_key, created_us);
CREATE INDEX attachment_unlinked ON attachment (created_us) WHERE message_id IS NULL;
CREATE INDEX attachment_uploading ON attachment (id) WHERE state = 'uploading';
CREATE INDEX attachment_removing ON attachment (id) WHERE state = 'removing';
