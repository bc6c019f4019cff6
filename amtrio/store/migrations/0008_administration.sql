-- Tiers, administrators, invitations, settings that are changed at run time, and the record of who changed what.

ALTER TABLE user_account ADD COLUMN is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1));
ALTER TABLE user_account ADD COLUMN tier TEXT NOT NULL DEFAULT 'free' CHECK (tier IN ('free', 'pro', 'enterprise'));

-- token_hash: who holds the link may register. Uses left count down; the row stays for the record.
CREATE TABLE invitation (
    id TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    note TEXT NOT NULL DEFAULT '',
    is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)),
    tier TEXT NOT NULL DEFAULT 'free',
    uses_left INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    revoked_us BIGINT
);

CREATE TABLE server_setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Only ever appended. actor: an account key, `secret` (X-Admin-Secret) or `cli`.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at_us BIGINT NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    action TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT '',
    details TEXT NOT NULL DEFAULT '{}'
);
