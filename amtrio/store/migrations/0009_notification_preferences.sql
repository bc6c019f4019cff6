-- When a person wants to be woken. conversation_id '' is the rule for everything; member.muted_until_us that of one
-- conversation. Quiet hours are minutes after midnight in the person's own time zone.

CREATE TABLE notification_preference (
    account_key TEXT PRIMARY KEY REFERENCES account (key),
    muted_until_us BIGINT,
    quiet_from_minute INTEGER,
    quiet_to_minute INTEGER,
    time_zone TEXT NOT NULL DEFAULT 'UTC',
    updated_us BIGINT NOT NULL
);
