-- Full text. The index is one more reader of the event log: it has a place in it and follows, so that storing a message
-- costs nothing for it. docs/discussion/search.md tells why it is built like this.

-- event: everything up to this one is in the index; it stays in the log, so that no number beyond it is given out twice.
-- backfill_id: messages stored before the index existed are gone through from the newest id down; the last one done,
-- NULL when all are. newest, oldest: numbers of entries given out so far, upwards to new messages, downwards to old ones.
-- waste: 1 when words were taken out and still lie in the file, 2 while it is being cleaned.
CREATE TABLE search_place (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    event BIGINT NOT NULL,
    backfill_id TEXT,
    newest BIGINT NOT NULL DEFAULT 0,
    oldest BIGINT NOT NULL DEFAULT 0,
    waste INTEGER NOT NULL DEFAULT 0 CHECK (waste IN (0, 1, 2))
);
-- '~' is above every id.
INSERT INTO search_place (one, event, backfill_id)
SELECT 1, coalesce((SELECT max(number) FROM event), 0), CASE WHEN EXISTS (SELECT 1 FROM message) THEN '~' END;

-- Where a message stands in the order of results; number is the row of its words, and never given out again.
CREATE TABLE search_entry (
    number INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE REFERENCES message (id) ON DELETE CASCADE
);

-- Entries whose message went with its conversation. A chore removes their words: doing it in the transaction that
-- removes the conversation would make everybody wait for it.
CREATE TABLE search_gone (number INTEGER PRIMARY KEY);
CREATE TRIGGER search_entry_gone AFTER DELETE ON search_entry BEGIN
    INSERT INTO search_gone (number) VALUES (old.number);
END;

-- Only for SQLite. words: folded by amtrio/words.py to tokens that this tokenizer keeps together, for it splits at ASCII
-- punctuation alone. who: the numbers of the accounts that may find it, so that a search walks along its asker's own
-- messages only. Beginnings of one to three characters have lists of their own, longer ones are few enough to gather.
CREATE VIRTUAL TABLE search_text USING fts5 (words, who, tokenize = 'ascii', columnsize = 0, prefix = '1 2 3');
-- Segments are put together by the chore, a few pages at a time, and not by FTS5 itself in the middle of a step.
INSERT INTO search_text (search_text, rank) VALUES ('automerge', 0);
INSERT INTO search_text (search_text, rank) VALUES ('crisismerge', 100);
