//! Counting again what is otherwise kept up to date step by step.

use super::all;
use crate::Store;
use crate::error::Result;

/// Each names a contradiction and finds the rows that show it.
const RULES: &[(&str, &str)] = &[
    (
        "task counters differ from its edges",
        "WITH settled AS (SELECT id, state = 'succeeded' AS good, state IN ('failed', 'quarantined', 'cancelled') \
             OR (state = 'waiting' AND (blocked > 0 OR gated = 2)) AS dead FROM task), \
         counted AS (SELECT edge.task_id AS id, \
             sum(NOT good AND NOT (dead AND require = 'settled')) AS unmet, sum(dead AND require = 'succeeded') AS blocked \
             FROM task_dependency AS edge JOIN settled ON settled.id = edge.upstream_id GROUP BY edge.task_id) \
         SELECT task.id FROM task LEFT JOIN counted ON counted.id = task.id \
         WHERE task.unmet <> coalesce(counted.unmet, 0) OR task.blocked <> coalesce(counted.blocked, 0)",
    ),
    (
        "task gate differs from plate or subject",
        "SELECT task.id FROM task JOIN subject ON subject.id = task.subject_id JOIN plate ON plate.id = task.plate_id \
         WHERE gated <> CASE gate WHEN 'none' THEN 0 \
             WHEN 'subject_complete' THEN CASE subject.state WHEN 'complete' THEN 0 WHEN 'arriving' THEN 1 ELSE 2 END \
             ELSE CASE WHEN plate.state IN ('complete', 'done', 'done_with_failures') THEN 0 ELSE 1 END END",
    ),
    (
        "waiting task has nothing to wait for",
        "SELECT id FROM task WHERE state = 'waiting' AND unmet = 0 AND gated = 0",
    ),
    (
        "task is ready too early",
        "SELECT id FROM task WHERE state IN ('ready', 'retrying') AND (unmet > 0 OR gated <> 0)",
    ),
    (
        "task succeeded before what it needs",
        "SELECT id FROM task WHERE state = 'succeeded' AND unmet > 0",
    ),
    (
        "running task without a running pass and attempt",
        "SELECT task.id FROM task LEFT JOIN pass ON pass.id = task.pass_id AND pass.ended_at IS NULL \
         LEFT JOIN attempt ON attempt.task_id = task.id AND attempt.pass_id = pass.id AND attempt.outcome = 'running' \
         WHERE task.state = 'running' AND (pass.id IS NULL OR attempt.id IS NULL)",
    ),
    (
        "task holds a pass but is not running",
        "SELECT id FROM task WHERE state <> 'running' AND pass_id IS NOT NULL",
    ),
    (
        "running pass without tasks",
        "SELECT id FROM pass WHERE ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM task WHERE task.pass_id = pass.id)",
    ),
    (
        "running attempt without a running task",
        "SELECT attempt.id FROM attempt LEFT JOIN task ON task.id = attempt.task_id AND task.state = 'running' \
         AND task.pass_id = attempt.pass_id WHERE outcome = 'running' AND task.id IS NULL",
    ),
    (
        "task tally differs from its tasks",
        "SELECT plate_id FROM (SELECT plate_id, bucket, sum(n) AS n FROM ( \
             SELECT plate_id, bucket, n FROM task_tally UNION ALL SELECT plate_id, \
             CASE WHEN state = 'waiting' AND (blocked > 0 OR gated = 2) THEN 'blocked' ELSE state END, -1 FROM task) \
         GROUP BY plate_id, bucket) WHERE n <> 0",
    ),
    (
        "job tally differs from its tasks",
        "SELECT plate_id FROM (SELECT plate_id, workflow, version, job, bucket, sum(n) AS n FROM ( \
             SELECT plate_id, workflow, version, job, bucket, n FROM job_tally \
             UNION ALL SELECT plate_id, workflow, workflow_version, job, \
             CASE WHEN state = 'waiting' AND (blocked > 0 OR gated = 2) THEN 'blocked' ELSE state END, -1 FROM task) \
         GROUP BY plate_id, workflow, version, job, bucket) WHERE n <> 0",
    ),
    (
        "subject tally differs from its subjects",
        "SELECT plate_id FROM (SELECT plate_id, kind, state, sum(n) AS n FROM ( \
             SELECT plate_id, kind, state, n FROM subject_tally \
             UNION ALL SELECT plate_id, kind, state, -1 FROM subject) GROUP BY plate_id, kind, state) WHERE n <> 0",
    ),
    (
        "file tally differs from its files",
        "SELECT root_id FROM (SELECT root_id, state, sum(n) AS n FROM (SELECT root_id, state, n FROM file_tally \
         UNION ALL SELECT root_id, state, -1 FROM file) GROUP BY root_id, state) WHERE n <> 0",
    ),
    (
        "plate is called done with tasks left",
        "SELECT DISTINCT plate.id FROM plate JOIN task_tally ON task_tally.plate_id = plate.id \
         WHERE plate.state IN ('done', 'done_with_failures') AND n > 0 \
         AND bucket IN ('waiting', 'ready', 'running', 'retrying')",
    ),
];

impl Store {
    /// Looks for damage and contradictions; an empty list is a clean bill. Reads everything: minutes for a large queue.
    ///
    /// # Errors
    /// If the database cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>> {
        self.read(|connection| {
            let mut findings: Vec<String> =
                all(connection, "PRAGMA quick_check(20)", [], |row| row.get(0))?;
            findings.retain(|finding| finding != "ok");
            findings.extend(all(connection, "PRAGMA foreign_key_check", [], |row| {
                let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
                Ok(format!(
                    "a row of {table} names a row of {parent} that does not exist"
                ))
            })?);
            for (rule, sql) in RULES {
                let rows: Vec<i64> =
                    all(connection, &format!("{sql} LIMIT 20"), [], |row| row.get(0))?;
                if !rows.is_empty() {
                    findings.push(format!("{rule}: {rows:?}"));
                }
            }
            Ok(findings)
        })
    }
}
