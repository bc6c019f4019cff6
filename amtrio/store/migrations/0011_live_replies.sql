-- Answers that appear as they are made, messages that wait for them, and questions with buttons.

-- An agent's live answer. `body` is JSON of its parts, written once, when it has ended; until then what it says is in
-- `run_chunk`. A run that ended with nothing to keep has no message.
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    agent_key TEXT NOT NULL REFERENCES account (key),
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    reply_to_id TEXT,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'stopped', 'failed', 'interrupted')),
    message_id TEXT UNIQUE,
    body TEXT,
    error TEXT,
    usage TEXT,
    started_us BIGINT NOT NULL,
    -- When the person asked for its end, if its agent has still to bring it about.
    stop_asked_us BIGINT,
    ended_us BIGINT
);
CREATE INDEX run_open ON run (agent_key) WHERE state = 'open';
CREATE INDEX run_by_conversation ON run (conversation_id);
CREATE INDEX run_without_message ON run (ended_us) WHERE message_id IS NULL AND ended_us IS NOT NULL;

-- What an open run said since the chunk before: JSON of changes, in order. At most one a second and run; gone with its end.
CREATE TABLE run_chunk (
    run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    changes TEXT NOT NULL,
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

-- A message that was said while its agent was busy: 'queued', until either the agent takes it or its sender takes it
-- back. Null for all others. The two compete for this one column.
ALTER TABLE message ADD COLUMN queue_state TEXT CHECK (queue_state IN ('queued', 'taken', 'withdrawn'));
-- The run that a message was said into; its agent has it already.
ALTER TABLE message ADD COLUMN steers_run_id TEXT;

-- `message.extras` says where to look: 4 = a run that it is the end of, 8 = a question.

-- What may be chosen from in answer to a message. The first valid answer is the answer.
CREATE TABLE question (
    message_id TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    options TEXT NOT NULL,
    is_multiple INTEGER NOT NULL CHECK (is_multiple IN (0, 1)),
    takes_text INTEGER NOT NULL CHECK (takes_text IN (0, 1)),
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'expired', 'closed')),
    expires_us BIGINT,
    option_ids TEXT,
    answer_text TEXT,
    answered_by_key TEXT REFERENCES account (key),
    answered_us BIGINT
);
CREATE INDEX question_expiring ON question (expires_us) WHERE state = 'open' AND expires_us IS NOT NULL;
CREATE INDEX question_by_answerer ON question (answered_by_key) WHERE answered_by_key IS NOT NULL;

-- What an agent says of what it can do: JSON.
ALTER TABLE agent ADD COLUMN card TEXT;
