-- What people are told, and whom. A notice is written in the transaction in which what it tells becomes true, and stays
-- until it was delivered: what is in this table can neither be forgotten nor be told of a state that never was.

-- How often a plate came to its end: tells its results apart.
ALTER TABLE plate ADD COLUMN endings INTEGER NOT NULL DEFAULT 0;

CREATE TABLE recipient (
    name         TEXT PRIMARY KEY,
    active       INTEGER NOT NULL,            -- 0 once it is no longer configured
    sent         INTEGER NOT NULL DEFAULT 0,  -- notices delivered
    failed       INTEGER NOT NULL DEFAULT 0,  -- tries that failed
    given_up     INTEGER NOT NULL DEFAULT 0,  -- notices that were not delivered in the end
    last_sent_at INTEGER,
    last_error   TEXT                         -- of the last try, if it failed
) STRICT, WITHOUT ROWID;

-- What a recipient wants to hear of which watched folder; an empty path is any.
CREATE TABLE subscription (
    recipient TEXT NOT NULL REFERENCES recipient(name) ON DELETE CASCADE,
    root_path BLOB NOT NULL,
    kind      TEXT NOT NULL,
    PRIMARY KEY (kind, root_path, recipient)
) STRICT, WITHOUT ROWID;

-- No reference to the plate: what happened is told although the plate was taken out of the queue meanwhile.
CREATE TABLE notice (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    token      TEXT NOT NULL,                 -- the same at every try, so that a receiver can tell a repetition
    recipient  TEXT NOT NULL REFERENCES recipient(name),
    kind       TEXT NOT NULL,
    plate_id   INTEGER,
    revision   INTEGER NOT NULL,              -- the plate's `endings`
    news       TEXT NOT NULL,                 -- what was true then
    state      TEXT NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL,              -- on the daemon's steady clock
    created_at INTEGER NOT NULL,
    ended_at   INTEGER,
    error      TEXT,
    UNIQUE (plate_id, kind, revision, recipient)
) STRICT;
CREATE INDEX notice_waiting ON notice (recipient, due_at) WHERE state = 'waiting';
CREATE INDEX notice_ended ON notice (ended_at) WHERE ended_at IS NOT NULL;
