-- Public keys for encryption between people and agents. The server never holds a private one.

CREATE TABLE public_key (
    id TEXT PRIMARY KEY,
    account_key TEXT NOT NULL REFERENCES account (key),
    kind TEXT NOT NULL CHECK (kind IN ('identity', 'signed_prekey', 'one_time_prekey')),
    -- The owner's own number for it; one-time keys are handed out in the order of these.
    key_id BIGINT,
    -- As its owner spelt it, and its 32 bytes in hexadecimal digits, which tell whether two are the same.
    public_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    -- Of an identity that cannot sign by itself: the key that does.
    signing_key TEXT,
    signature TEXT,
    signature_scheme TEXT,
    signature_over TEXT,
    -- Of an identity: 1, 2, 3 ...; the highest is the one in force, the others are history.
    version INTEGER NOT NULL DEFAULT 1,
    created_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX public_key_identity ON public_key (account_key, version) WHERE kind = 'identity';
CREATE UNIQUE INDEX public_key_signed ON public_key (account_key) WHERE kind = 'signed_prekey';
CREATE UNIQUE INDEX public_key_one_time ON public_key (account_key, key_id) WHERE kind = 'one_time_prekey';
CREATE UNIQUE INDEX public_key_one_time_once ON public_key (account_key, fingerprint) WHERE kind = 'one_time_prekey';
CREATE INDEX public_key_by_account ON public_key (account_key, kind, created_us);

-- One-time keys that were handed out: uploaded again, by an owner that missed an answer, they are not handed out twice.
CREATE TABLE spent_key (
    account_key TEXT NOT NULL REFERENCES account (key),
    fingerprint TEXT NOT NULL,
    spent_us BIGINT NOT NULL,
    PRIMARY KEY (account_key, fingerprint)
);
CREATE INDEX spent_key_by_age ON spent_key (account_key, spent_us);

-- Lists of ciphertext alone; costs plain messages nothing.
CREATE INDEX message_encrypted ON message (conversation_id, seq) WHERE kind = 'encrypted';
