-- People, agents and the proofs they sign in with. Every id is an account key's wire half; removed ids stay as
-- tombstones in `account` so that nobody can take them over.

CREATE TABLE user_account (
    account_key TEXT PRIMARY KEY REFERENCES account (key),
    id TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    last_seen_us BIGINT
);

-- owner and visibility decide who may list an agent, see its status and start a conversation with it.
CREATE TABLE agent (
    account_key TEXT PRIMARY KEY REFERENCES account (key),
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    model TEXT NOT NULL DEFAULT '',
    personality TEXT NOT NULL DEFAULT '',
    specialty TEXT NOT NULL DEFAULT '',
    credential_kind TEXT NOT NULL CHECK (credential_kind IN ('own', 'shared', 'revoked')),
    credential_hash TEXT,
    owner_key TEXT REFERENCES account (key),
    visibility TEXT NOT NULL DEFAULT 'everyone' CHECK (visibility IN ('everyone', 'listed', 'owner')),
    created_us BIGINT NOT NULL,
    last_seen_us BIGINT,
    CHECK (credential_kind <> 'own' OR credential_hash IS NOT NULL)
);

CREATE TABLE agent_reader (
    agent_key TEXT NOT NULL REFERENCES agent (account_key) ON DELETE CASCADE,
    account_key TEXT NOT NULL REFERENCES account (key),
    PRIMARY KEY (agent_key, account_key)
);

-- One row per sign-in. token_hash: tokens signed elsewhere with the same secret carry no session id of ours and are
-- known by their SHA-256. refresh_hash is reserved for renewal.
CREATE TABLE login_session (
    id TEXT PRIMARY KEY,
    account_key TEXT NOT NULL REFERENCES account (key),
    token_hash TEXT UNIQUE,
    refresh_hash TEXT UNIQUE,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    last_used_us BIGINT NOT NULL,
    ended_us BIGINT,
    user_agent TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT ''
);
CREATE INDEX login_session_by_account ON login_session (account_key, created_us);
