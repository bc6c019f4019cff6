-- Full text. The index is one more reader of the event log: it has a place in it and follows, so that storing a message
-- costs nothing for it.

CREATE TABLE search_place (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- Everything up to this event is in the index.
    event BIGINT NOT NULL,
    -- Messages stored before the index existed are gone through by id; the last one done, NULL when all are.
    backfill_id TEXT
);

-- number is the row of the full-text table.
CREATE TABLE search_entry (
    number INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE REFERENCES message (id) ON DELETE CASCADE
);
