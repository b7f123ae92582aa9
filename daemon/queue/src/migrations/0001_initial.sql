-- Times are milliseconds since 1970-01-01 UTC unless a name says otherwise. Paths are bytes.

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE root (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    path       BLOB NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    output     BLOB NOT NULL,
    workflow   TEXT NOT NULL,
    state      TEXT NOT NULL,
    mode       TEXT NOT NULL,
    detail     TEXT,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE plate (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    root_id      INTEGER NOT NULL REFERENCES root(id),
    key          TEXT NOT NULL,
    name         TEXT NOT NULL,
    directory    BLOB NOT NULL,
    output       BLOB NOT NULL,
    state        TEXT NOT NULL,
    decided_by   TEXT,
    detail       TEXT,
    expected     INTEGER,
    rows         INTEGER,
    columns      INTEGER,
    created_at   INTEGER NOT NULL,
    last_arrival INTEGER,
    completed_at INTEGER,
    finished_at  INTEGER,
    UNIQUE (root_id, key)
) STRICT;

CREATE TABLE subject (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    plate_id   INTEGER NOT NULL REFERENCES plate(id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    well       TEXT,
    site       INTEGER,
    timepoint  INTEGER,
    state      TEXT NOT NULL,
    missing    TEXT NOT NULL,
    inputs     TEXT NOT NULL,
    input_hash TEXT,
    container  BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (plate_id, kind, name)
) STRICT;
CREATE INDEX subject_arriving ON subject (plate_id) WHERE state = 'arriving';

CREATE TABLE file (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    root_id    INTEGER NOT NULL REFERENCES root(id),
    path       BLOB NOT NULL,
    size       INTEGER NOT NULL,
    mtime_ns   INTEGER NOT NULL,
    ctime_ns   INTEGER NOT NULL,
    inode      INTEGER NOT NULL,
    content    TEXT,
    state      TEXT NOT NULL,
    reason     TEXT,
    remedy     TEXT,
    subject_id INTEGER REFERENCES subject(id) ON DELETE SET NULL,
    parsed     TEXT NOT NULL,
    revision   INTEGER NOT NULL DEFAULT 1,
    first_seen INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    UNIQUE (root_id, path)
) STRICT;
CREATE INDEX file_state ON file (state);
CREATE INDEX file_subject ON file (subject_id) WHERE subject_id IS NOT NULL;

-- One claimed subject. `lease_until` is on the daemon's steady clock.
CREATE TABLE pass (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    plate_id    INTEGER NOT NULL REFERENCES plate(id) ON DELETE CASCADE,
    subject_id  INTEGER NOT NULL REFERENCES subject(id) ON DELETE CASCADE,
    workflow    TEXT NOT NULL,
    worker      TEXT NOT NULL,
    pid         INTEGER,
    boot_id     TEXT NOT NULL,
    lease_until INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER
) STRICT;
-- The database itself refuses a second running pass of a subject.
CREATE UNIQUE INDEX pass_open ON pass (subject_id) WHERE ended_at IS NULL;
CREATE INDEX pass_lease ON pass (lease_until) WHERE ended_at IS NULL;
CREATE INDEX pass_subject ON pass (subject_id);
CREATE INDEX pass_plate ON pass (plate_id);

CREATE TABLE task (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    plate_id         INTEGER NOT NULL REFERENCES plate(id) ON DELETE CASCADE,
    subject_id       INTEGER NOT NULL REFERENCES subject(id) ON DELETE CASCADE,
    workflow         TEXT NOT NULL,
    workflow_version TEXT NOT NULL,
    job              TEXT NOT NULL,
    kind             TEXT NOT NULL,
    scope            TEXT NOT NULL,
    gate             TEXT NOT NULL,
    position         INTEGER NOT NULL,
    priority         INTEGER NOT NULL,
    state            TEXT NOT NULL,
    gated            INTEGER NOT NULL,           -- 0 open, 1 closed, 2 will not open
    unmet            INTEGER NOT NULL DEFAULT 0, -- upstream edges that are not satisfied
    blocked          INTEGER NOT NULL DEFAULT 0, -- of those, edges that only a requeue can satisfy
    key              TEXT,
    ingredients      TEXT NOT NULL,
    because          TEXT,
    revision         INTEGER NOT NULL DEFAULT 1,
    attempts         INTEGER NOT NULL DEFAULT 0,
    interruptions    INTEGER NOT NULL DEFAULT 0,
    crashes          INTEGER NOT NULL DEFAULT 0,
    max_attempts     INTEGER NOT NULL,
    ready_at         INTEGER,
    pass_id          INTEGER REFERENCES pass(id),
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    error            TEXT,
    result           TEXT,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    UNIQUE (subject_id, workflow, job)
) STRICT;
CREATE INDEX task_plate ON task (plate_id, workflow, job);
CREATE INDEX task_state ON task (state);
CREATE INDEX task_ready ON task (priority DESC, plate_id, id) WHERE state = 'ready';
CREATE INDEX task_retrying ON task (ready_at) WHERE state = 'retrying';
CREATE INDEX task_pass ON task (pass_id) WHERE pass_id IS NOT NULL;
CREATE INDEX task_dead ON task (finished_at) WHERE state IN ('failed', 'quarantined');
CREATE INDEX task_key ON task (key) WHERE state = 'succeeded';

CREATE TABLE task_dependency (
    task_id     INTEGER NOT NULL REFERENCES task(id) ON DELETE CASCADE,
    upstream_id INTEGER NOT NULL REFERENCES task(id) ON DELETE CASCADE,
    require     TEXT NOT NULL,
    PRIMARY KEY (task_id, upstream_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_dependency_upstream ON task_dependency (upstream_id);

-- "All tasks of this job in the plate (or well), those to come included": turned into edges as tasks arrive.
CREATE TABLE task_upstream (
    task_id  INTEGER NOT NULL REFERENCES task(id) ON DELETE CASCADE,
    plate_id INTEGER NOT NULL,
    workflow TEXT NOT NULL,
    job      TEXT NOT NULL,
    well     TEXT NOT NULL,                      -- '' is the whole plate
    require  TEXT NOT NULL,
    PRIMARY KEY (task_id, job, well)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_upstream_job ON task_upstream (plate_id, workflow, job);

CREATE TABLE attempt (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id    INTEGER NOT NULL REFERENCES task(id) ON DELETE CASCADE,
    pass_id    INTEGER NOT NULL REFERENCES pass(id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT NOT NULL,
    error      TEXT,
    log        TEXT,
    timings    TEXT,
    peak_rss   INTEGER,
    UNIQUE (task_id, number)
) STRICT;
CREATE INDEX attempt_pass ON attempt (pass_id);
CREATE INDEX attempt_log ON attempt (ended_at) WHERE log IS NOT NULL;

CREATE TABLE event (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    plate_id   INTEGER,
    subject_id INTEGER,
    task_id    INTEGER,
    data       TEXT NOT NULL
) STRICT;
CREATE INDEX event_plate ON event (plate_id) WHERE plate_id IS NOT NULL;
CREATE INDEX event_task ON event (task_id) WHERE task_id IS NOT NULL;

-- Reasons to claim nothing: of everything (both ids 0), of a root, or of a plate.
CREATE TABLE hold (
    root_id  INTEGER NOT NULL,
    plate_id INTEGER NOT NULL,
    holder   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (root_id, plate_id, holder)
) STRICT, WITHOUT ROWID;
