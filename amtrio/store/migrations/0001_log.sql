-- The account log: what every account must hear, numbered without gaps, and how far each device has heard it.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- head is the number of the newest event, pruned that of the newest event no longer kept.
-- A removed account stays as a tombstone: its key is never given out again and its log does not move.
-- number is what the log, which has by far the most rows, knows an account by: a tenth of the key's bytes.
CREATE TABLE account (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    head BIGINT NOT NULL DEFAULT 0,
    pruned BIGINT NOT NULL DEFAULT 0,
    created_us BIGINT NOT NULL,
    removed_us BIGINT
);

-- What happened, once, in commit order: rows are only ever appended, so a batch of many writes few pages.
CREATE TABLE event (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    conversation_id TEXT,
    subject_id TEXT,
    device TEXT,
    at_us BIGINT NOT NULL
);

-- Who hears it, as which number of the account's own. Each account's rows lie together and are a dozen bytes long:
-- these are the pages that a batch writes all over the file.
CREATE TABLE account_log (
    account INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (account, seq)
) WITHOUT ROWID;
CREATE INDEX account_log_by_event ON account_log (event);

CREATE TABLE cursor (
    account_key TEXT NOT NULL REFERENCES account (key),
    device_key TEXT NOT NULL,
    seq BIGINT NOT NULL,
    made_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL,
    PRIMARY KEY (account_key, device_key)
) WITHOUT ROWID;
