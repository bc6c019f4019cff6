-- Whom to wake, and what they were woken for.

-- One row per device that takes pushes; gone with the login session that registered it. `address` is the token that
-- Apple or Google gave out, or the endpoint of a push service, and belongs to one account at a time.
CREATE TABLE push_device (
    id TEXT PRIMARY KEY,
    account_key TEXT NOT NULL REFERENCES account (key),
    session_id TEXT NOT NULL REFERENCES login_session (id) ON DELETE CASCADE,
    device_id TEXT,
    platform TEXT NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    address TEXT NOT NULL UNIQUE,
    -- Of Web Push: what a message to this device is encrypted for (RFC 8291), base64url.
    p256dh TEXT,
    auth TEXT,
    -- It takes back what it shows when it is told that it was read elsewhere.
    can_withdraw INTEGER NOT NULL DEFAULT 0 CHECK (can_withdraw IN (0, 1)),
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    CHECK (platform <> 'web' OR (p256dh IS NOT NULL AND auth IS NOT NULL))
);
CREATE INDEX push_device_by_account ON push_device (account_key, updated_us);
CREATE INDEX push_device_by_session ON push_device (session_id);

-- Up to which message of a conversation somebody was woken, until it is read: nobody is woken for the same one twice,
-- and what is on a screen can be taken back.
CREATE TABLE push_shown (
    account_key TEXT NOT NULL REFERENCES account (key),
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    shown_us BIGINT NOT NULL,
    PRIMARY KEY (account_key, conversation_id)
);
CREATE INDEX push_shown_by_conversation ON push_shown (conversation_id);
