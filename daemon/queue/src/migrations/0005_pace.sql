-- What the pages and the API say about speed and about single jobs, kept as it happens: none of it is counted again for a page.

-- Tasks by plate, job and state; the buckets are those of `task_tally`.
CREATE TABLE job_tally (
    plate_id INTEGER NOT NULL,
    workflow TEXT NOT NULL,
    version  TEXT NOT NULL,
    job      TEXT NOT NULL,
    bucket   TEXT NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (plate_id, workflow, version, job, bucket)
) STRICT, WITHOUT ROWID;

INSERT INTO job_tally (plate_id, workflow, version, job, bucket, n)
SELECT plate_id, workflow, workflow_version, job,
       CASE WHEN state = 'waiting' AND (blocked > 0 OR gated = 2) THEN 'blocked' ELSE state END AS bucket,
       count(*)
FROM task GROUP BY 1, 2, 3, 4, 5;

CREATE TRIGGER job_tally_insert AFTER INSERT ON task BEGIN
    INSERT INTO job_tally (plate_id, workflow, version, job, bucket, n)
    VALUES (new.plate_id, new.workflow, new.workflow_version, new.job,
            CASE WHEN new.state = 'waiting' AND (new.blocked > 0 OR new.gated = 2) THEN 'blocked' ELSE new.state END, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER job_tally_delete AFTER DELETE ON task BEGIN
    UPDATE job_tally SET n = n - 1
    WHERE plate_id = old.plate_id AND workflow = old.workflow AND version = old.workflow_version AND job = old.job
      AND bucket = CASE WHEN old.state = 'waiting' AND (old.blocked > 0 OR old.gated = 2)
                        THEN 'blocked' ELSE old.state END;
END;

CREATE TRIGGER job_tally_update AFTER UPDATE OF state, blocked, gated, workflow_version ON task
WHEN old.workflow_version <> new.workflow_version
  OR CASE WHEN old.state = 'waiting' AND (old.blocked > 0 OR old.gated = 2) THEN 'blocked' ELSE old.state END
  <> CASE WHEN new.state = 'waiting' AND (new.blocked > 0 OR new.gated = 2) THEN 'blocked' ELSE new.state END
BEGIN
    UPDATE job_tally SET n = n - 1
    WHERE plate_id = old.plate_id AND workflow = old.workflow AND version = old.workflow_version AND job = old.job
      AND bucket = CASE WHEN old.state = 'waiting' AND (old.blocked > 0 OR old.gated = 2)
                        THEN 'blocked' ELSE old.state END;
    INSERT INTO job_tally (plate_id, workflow, version, job, bucket, n)
    VALUES (new.plate_id, new.workflow, new.workflow_version, new.job,
            CASE WHEN new.state = 'waiting' AND (new.blocked > 0 OR new.gated = 2) THEN 'blocked' ELSE new.state END, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;

-- How long a job takes: worker time of its successful executions. Starts empty, as older attempts tell the time of a whole
-- pass only.
CREATE TABLE pace (
    workflow TEXT NOT NULL,
    job      TEXT NOT NULL,
    plate_id INTEGER NOT NULL REFERENCES plate(id) ON DELETE CASCADE,
    n        INTEGER NOT NULL,
    busy_us  INTEGER NOT NULL,                -- its share of the passes that it ran in, microseconds
    PRIMARY KEY (workflow, job, plate_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX pace_plate ON pace (plate_id);

-- What ended in each minute since 1970.
CREATE TABLE ended (
    minute     INTEGER PRIMARY KEY,
    image_sets INTEGER NOT NULL,              -- of which no task is left to run
    succeeded  INTEGER NOT NULL,              -- executions of tasks
    failed     INTEGER NOT NULL
) STRICT;

-- How far the image sets of a plate are, without a look at the tasks themselves.
CREATE INDEX task_progress ON task (plate_id, subject_id, state, blocked, gated);
