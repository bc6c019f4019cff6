-- The account log: what every account must hear, numbered without gaps, and how far each device has heard it.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- head is the number of the newest event, pruned that of the newest event no longer kept.
-- A removed account stays as a tombstone: its key is never given out again and its log does not move.
CREATE TABLE account (
    key TEXT PRIMARY KEY,
    head BIGINT NOT NULL DEFAULT 0,
    pruned BIGINT NOT NULL DEFAULT 0,
    created_us BIGINT NOT NULL,
    removed_us BIGINT
);

CREATE TABLE account_log (
    account_key TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    conversation_id TEXT,
    subject_id TEXT,
    device TEXT,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (account_key, seq)
) WITHOUT ROWID;

CREATE TABLE cursor (
    account_key TEXT NOT NULL REFERENCES account (key),
    device_key TEXT NOT NULL,
    seq BIGINT NOT NULL,
    made_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL,
    PRIMARY KEY (account_key, device_key)
) WITHOUT ROWID;
