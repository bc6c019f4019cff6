-- When a person does not want to be woken, whatever the conversation; member.muted_until_us is the rule of one
-- conversation. Quiet hours are minutes after midnight in the person's own time zone, both or neither.

CREATE TABLE notification_preference (
    account_key TEXT PRIMARY KEY REFERENCES account (key),
    muted_until_us BIGINT,
    quiet_from_minute INTEGER,
    quiet_to_minute INTEGER,
    time_zone TEXT NOT NULL DEFAULT 'UTC',
    updated_us BIGINT NOT NULL
);
