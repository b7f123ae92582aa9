-- Counts by state, kept by triggers, so that a status page does not read a million rows.
-- A waiting task that only a requeue can free is counted as 'blocked'.

CREATE TABLE task_tally (
    plate_id INTEGER NOT NULL,
    bucket   TEXT NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (plate_id, bucket)
) STRICT, WITHOUT ROWID;

INSERT INTO task_tally (plate_id, bucket, n)
SELECT plate_id,
       CASE WHEN state = 'waiting' AND (blocked > 0 OR gated = 2) THEN 'blocked' ELSE state END AS bucket,
       count(*)
FROM task GROUP BY 1, 2;

CREATE TRIGGER task_tally_insert AFTER INSERT ON task BEGIN
    INSERT INTO task_tally (plate_id, bucket, n)
    VALUES (new.plate_id,
            CASE WHEN new.state = 'waiting' AND (new.blocked > 0 OR new.gated = 2) THEN 'blocked' ELSE new.state END, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER task_tally_delete AFTER DELETE ON task BEGIN
    UPDATE task_tally SET n = n - 1
    WHERE plate_id = old.plate_id
      AND bucket = CASE WHEN old.state = 'waiting' AND (old.blocked > 0 OR old.gated = 2)
                        THEN 'blocked' ELSE old.state END;
END;

CREATE TRIGGER task_tally_update AFTER UPDATE OF state, blocked, gated ON task
WHEN CASE WHEN old.state = 'waiting' AND (old.blocked > 0 OR old.gated = 2) THEN 'blocked' ELSE old.state END
  <> CASE WHEN new.state = 'waiting' AND (new.blocked > 0 OR new.gated = 2) THEN 'blocked' ELSE new.state END
BEGIN
    UPDATE task_tally SET n = n - 1
    WHERE plate_id = old.plate_id
      AND bucket = CASE WHEN old.state = 'waiting' AND (old.blocked > 0 OR old.gated = 2)
                        THEN 'blocked' ELSE old.state END;
    INSERT INTO task_tally (plate_id, bucket, n)
    VALUES (new.plate_id,
            CASE WHEN new.state = 'waiting' AND (new.blocked > 0 OR new.gated = 2) THEN 'blocked' ELSE new.state END, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TABLE file_tally (
    root_id INTEGER NOT NULL,
    state   TEXT NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (root_id, state)
) STRICT, WITHOUT ROWID;

INSERT INTO file_tally (root_id, state, n) SELECT root_id, state, count(*) FROM file GROUP BY 1, 2;

CREATE TRIGGER file_tally_insert AFTER INSERT ON file BEGIN
    INSERT INTO file_tally (root_id, state, n) VALUES (new.root_id, new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER file_tally_delete AFTER DELETE ON file BEGIN
    UPDATE file_tally SET n = n - 1 WHERE root_id = old.root_id AND state = old.state;
END;

CREATE TRIGGER file_tally_update AFTER UPDATE OF state ON file WHEN old.state <> new.state BEGIN
    UPDATE file_tally SET n = n - 1 WHERE root_id = old.root_id AND state = old.state;
    INSERT INTO file_tally (root_id, state, n) VALUES (new.root_id, new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TABLE subject_tally (
    plate_id INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    state    TEXT NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (plate_id, kind, state)
) STRICT, WITHOUT ROWID;

INSERT INTO subject_tally (plate_id, kind, state, n)
SELECT plate_id, kind, state, count(*) FROM subject GROUP BY 1, 2, 3;

CREATE TRIGGER subject_tally_insert AFTER INSERT ON subject BEGIN
    INSERT INTO subject_tally (plate_id, kind, state, n) VALUES (new.plate_id, new.kind, new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER subject_tally_delete AFTER DELETE ON subject BEGIN
    UPDATE subject_tally SET n = n - 1 WHERE plate_id = old.plate_id AND kind = old.kind AND state = old.state;
END;

CREATE TRIGGER subject_tally_update AFTER UPDATE OF state ON subject WHEN old.state <> new.state BEGIN
    UPDATE subject_tally SET n = n - 1 WHERE plate_id = old.plate_id AND kind = old.kind AND state = old.state;
    INSERT INTO subject_tally (plate_id, kind, state, n) VALUES (new.plate_id, new.kind, new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
