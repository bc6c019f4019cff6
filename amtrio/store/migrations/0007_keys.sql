-- Public keys for encryption between people and agents. The server never holds a private one.

CREATE TABLE public_key (
    id TEXT PRIMARY KEY,
    account_key TEXT NOT NULL REFERENCES account (key),
    kind TEXT NOT NULL CHECK (kind IN ('identity', 'signed_prekey', 'one_time_prekey')),
    -- The owner's own number for it; one-time keys are handed out in the order of these.
    key_id BIGINT,
    public_key TEXT NOT NULL,
    signature TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX public_key_one_time ON public_key (account_key, key_id) WHERE kind = 'one_time_prekey';
CREATE INDEX public_key_by_account ON public_key (account_key, kind, created_us);
