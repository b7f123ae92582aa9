//! Statements whose cost must not grow with the queue, in one place so that a test can look at their plans.
//!
//! `INDEXED BY` is no hint: SQLite refuses the statement if it cannot use the index. Left alone, the planner prefers
//! the index on the state for some of these, and then sorts every ready task at each claim.

/// Group of the most urgent ready task.
pub(crate) const FIRST_GROUP: &str = "SELECT priority, plate_id FROM task INDEXED BY task_ready \
     WHERE state = 'ready' ORDER BY priority DESC, plate_id LIMIT 1";

/// Next plate of the same priority.
pub(crate) const NEXT_PLATE: &str = "SELECT priority, plate_id FROM task INDEXED BY task_ready \
     WHERE state = 'ready' AND priority = ?1 AND plate_id > ?2 ORDER BY plate_id LIMIT 1";

/// First plate of the next lower priority.
pub(crate) const NEXT_PRIORITY: &str = "SELECT priority, plate_id FROM task INDEXED BY task_ready \
     WHERE state = 'ready' AND priority < ?1 ORDER BY priority DESC, plate_id LIMIT 1";

/// Ready tasks of a group whose subjects are free, oldest first. The first row is nearly always the one.
pub(crate) const BEST_OF_GROUP: &str = "SELECT id, subject_id, scope, workflow, job FROM task INDEXED BY task_ready \
     WHERE state = 'ready' AND priority = ?1 AND plate_id = ?2 AND NOT EXISTS \
     (SELECT 1 FROM pass INDEXED BY pass_open WHERE pass.subject_id = task.subject_id AND ended_at IS NULL) ORDER BY id";

/// Ready tasks that are claimed before one, counted up to a limit for each of the three ways to be before it.
pub(crate) const AHEAD: &str = "SELECT \
     (SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_ready \
         WHERE state = 'ready' AND priority > ?1 LIMIT ?4)) + \
     (SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_ready \
         WHERE state = 'ready' AND priority = ?1 AND plate_id < ?2 LIMIT ?4)) + \
     (SELECT count(*) FROM (SELECT 1 FROM task INDEXED BY task_ready \
         WHERE state = 'ready' AND priority = ?1 AND plate_id = ?2 AND id < ?3 LIMIT ?4))";

/// Tasks whose retry time has come.
pub(crate) const DUE: &str = "SELECT id FROM task INDEXED BY task_retrying \
     WHERE state = 'retrying' AND ready_at <= ?1 ORDER BY ready_at LIMIT 1000";

/// Passes whose lease ran out.
pub(crate) const EXPIRED: &str = "SELECT id FROM pass INDEXED BY pass_lease WHERE ended_at IS NULL AND lease_until < ?1 ORDER BY lease_until";

/// The next time that something is due.
pub(crate) const NEXT_DUE: &str = "SELECT min(at) FROM ( \
     SELECT min(ready_at) AS at FROM task INDEXED BY task_retrying WHERE state = 'retrying' \
     UNION ALL SELECT min(lease_until) FROM pass INDEXED BY pass_lease WHERE ended_at IS NULL)";

/// Tasks of a pass that were asked to stop.
pub(crate) const STOPPING: &str = "SELECT id FROM task INDEXED BY task_pass WHERE pass_id = ?1 AND cancel_requested = 1 ORDER BY position";

/// Tasks behind a task.
pub(crate) const BEHIND: &str =
    "SELECT task_id, require FROM task_dependency WHERE upstream_id = ?1";

/// Patterns that a new task matches, strictest first.
pub(crate) const PATTERNS: &str = "SELECT task_id, require FROM task_upstream INDEXED BY task_upstream_job \
     WHERE plate_id = ?1 AND workflow = ?2 AND job = ?3 AND well IN ('', ?4) ORDER BY require DESC";

/// A file by its identity.
pub(crate) const FILE_BY_PATH: &str = "FROM file WHERE root_id = ?1 AND path = ?2";

/// The latest failures, to follow the columns of a task.
pub(crate) const FAILURES: &str = "WHERE task.id IN (SELECT id FROM task INDEXED BY task_dead \
     WHERE state IN ('failed', 'quarantined') ORDER BY finished_at DESC LIMIT ?1) ORDER BY task.finished_at DESC";

/// A result by its key, to follow the columns of a task.
pub(crate) const BY_KEY: &str = "WHERE task.id = \
     (SELECT id FROM task INDEXED BY task_key WHERE key = ?1 AND state = 'succeeded' LIMIT 1)";

/// Who wants to hear of something in a watched folder, or (with a null) of everything.
pub(crate) const SUBSCRIBERS: &str = "SELECT DISTINCT recipient FROM subscription WHERE kind = ?1 \
     AND root_path IN (x'', (SELECT path FROM root WHERE id = ?2)) ORDER BY recipient";

/// The notice for a recipient that has been due for the longest time, to follow the columns of a notice.
pub(crate) const DUE_NOTICE: &str = "FROM notice INDEXED BY notice_waiting \
     WHERE state = 'waiting' AND recipient = ?1 AND due_at <= ?2 ORDER BY due_at LIMIT 1";

/// When the next notice for a recipient is due.
pub(crate) const NEXT_NOTICE: &str = "SELECT min(due_at) FROM notice INDEXED BY notice_waiting WHERE state = 'waiting' AND recipient = ?1";

/// Notices that ended long enough ago to go.
pub(crate) const OLD_NOTICES: &str = "SELECT id FROM notice INDEXED BY notice_ended WHERE ended_at IS NOT NULL AND ended_at < ?1 LIMIT ?2";

/// Tasks of a plate by job and state.
pub(crate) const JOBS_OF_PLATE: &str =
    "SELECT workflow, job, bucket, n FROM job_tally WHERE plate_id = ?1 AND n > 0";

/// Image sets of a plate by what becomes of their tasks: one row an image set is made, in the order of the index.
pub(crate) const SET_PROGRESS: &str = "SELECT CASE WHEN running > 0 THEN 'running' WHEN queued > 0 THEN 'queued' \
     WHEN failed > 0 THEN 'failed' WHEN stopped > 0 THEN 'stopped' ELSE 'done' END, count(*) FROM \
     (SELECT subject_id, sum(state = 'running') AS running, sum(state IN ('failed', 'quarantined')) AS failed, \
     sum(state IN ('ready', 'retrying') OR (state = 'waiting' AND blocked = 0 AND gated <> 2)) AS queued, \
     sum(state = 'cancelled' OR (state = 'waiting' AND (blocked > 0 OR gated = 2))) AS stopped \
     FROM task INDEXED BY task_progress WHERE plate_id = ?1 GROUP BY subject_id) \
     JOIN subject ON subject.id = subject_id WHERE kind IN ('image_set', 'stack') AND subject.state <> 'arriving' GROUP BY 1";

/// What a job of a plate works on, and its priority: those of any of its tasks.
pub(crate) const SAMPLE_TASK: &str = "SELECT subject.kind, task.priority FROM task INDEXED BY task_plate \
     JOIN subject ON subject.id = task.subject_id WHERE task.plate_id = ?1 AND workflow = ?2 AND job = ?3 LIMIT 1";

/// What kind of job it is: that of any of its tasks on a plate.
pub(crate) const JOB_OF_WORKFLOW: &str = "SELECT kind, scope, position FROM task INDEXED BY task_plate \
     WHERE plate_id = ?1 AND workflow = ?2 AND job = ?3 LIMIT 1";

/// How long a job takes on a plate.
pub(crate) const OWN_PACE: &str =
    "SELECT n, busy_us FROM pace WHERE workflow = ?1 AND job = ?2 AND plate_id = ?3";

/// How long a job took on the last plates that had it.
pub(crate) const OTHER_PACE: &str = "SELECT coalesce(sum(n), 0), coalesce(sum(busy_us), 0) FROM \
     (SELECT n, busy_us FROM pace WHERE workflow = ?1 AND job = ?2 ORDER BY plate_id DESC LIMIT 5)";

/// Logs that are old enough to go.
pub(crate) const OLD_LOGS: &str = "SELECT id FROM attempt INDEXED BY attempt_log WHERE log IS NOT NULL AND ended_at < ?1 LIMIT ?2";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rusqlite::types::Null;
    use rusqlite::{Connection, params_from_iter};

    use super::{
        AHEAD, BEHIND, BEST_OF_GROUP, BY_KEY, DUE, DUE_NOTICE, EXPIRED, FAILURES, FILE_BY_PATH,
        FIRST_GROUP, JOB_OF_WORKFLOW, JOBS_OF_PLATE, NEXT_DUE, NEXT_NOTICE, NEXT_PLATE,
        NEXT_PRIORITY, OLD_LOGS, OLD_NOTICES, OTHER_PACE, OWN_PACE, PATTERNS, SAMPLE_TASK,
        SET_PROGRESS, STOPPING,
    };
    use crate::model::TASK_SELECT;

    fn plan(connection: &Connection, sql: &str) -> String {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let parameters = vec![Null; statement.parameter_count()];
        let rows = statement
            .query_map(params_from_iter(parameters), |row| row.get::<_, String>(3))
            .unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn search_their_indexes_and_sort_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let connection =
            crate::schema::open_writer(&folder.path().join("queue.db"), false).unwrap();
        let wanted = [
            (FIRST_GROUP.to_owned(), "COVERING INDEX task_ready"),
            (
                NEXT_PLATE.to_owned(),
                "COVERING INDEX task_ready (priority=? AND plate_id>?)",
            ),
            (
                NEXT_PRIORITY.to_owned(),
                "COVERING INDEX task_ready (priority<?)",
            ),
            (
                BEST_OF_GROUP.to_owned(),
                "INDEX task_ready (priority=? AND plate_id=?)",
            ),
            (
                AHEAD.to_owned(),
                "COVERING INDEX task_ready (priority=? AND plate_id=? AND id<?)",
            ),
            (DUE.to_owned(), "INDEX task_retrying (ready_at<?)"),
            (EXPIRED.to_owned(), "INDEX pass_lease (lease_until<?)"),
            (NEXT_DUE.to_owned(), "INDEX pass_lease"),
            (
                BEHIND.to_owned(),
                "INDEX task_dependency_upstream (upstream_id=?)",
            ),
            (
                format!("SELECT id {FILE_BY_PATH}"),
                "INDEX sqlite_autoindex_file_1 (root_id=? AND path=?)",
            ),
            (format!("{TASK_SELECT} {BY_KEY}"), "INDEX task_key (key=?)"),
            (OLD_LOGS.to_owned(), "INDEX attempt_log (ended_at<?)"),
            (
                format!("SELECT id {DUE_NOTICE}"),
                "INDEX notice_waiting (recipient=? AND due_at<?)",
            ),
            (NEXT_NOTICE.to_owned(), "INDEX notice_waiting (recipient=?)"),
            (OLD_NOTICES.to_owned(), "INDEX notice_ended (ended_at"),
            (JOBS_OF_PLATE.to_owned(), "PRIMARY KEY (plate_id=?)"),
            (
                SAMPLE_TASK.to_owned(),
                "INDEX task_plate (plate_id=? AND workflow=? AND job=?)",
            ),
            (
                JOB_OF_WORKFLOW.to_owned(),
                "INDEX task_plate (plate_id=? AND workflow=? AND job=?)",
            ),
            (
                OWN_PACE.to_owned(),
                "PRIMARY KEY (workflow=? AND job=? AND plate_id=?)",
            ),
            (OTHER_PACE.to_owned(), "PRIMARY KEY (workflow=? AND job=?)"),
        ];
        for (sql, index) in wanted {
            let plan = plan(&connection, &sql);
            assert!(plan.contains(index), "{sql}\nwanted: {index}\ngot: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
        // These sort the few rows that they find.
        let failures = format!("{TASK_SELECT} {FAILURES}");
        for (sql, index) in [
            (failures.as_str(), "INDEX task_dead"),
            (STOPPING, "INDEX task_pass (pass_id=?)"),
            (PATTERNS, "INDEX task_upstream_job"),
            (SET_PROGRESS, "COVERING INDEX task_progress (plate_id=?)"),
        ] {
            let plan = plan(&connection, sql);
            assert!(plan.contains(index), "{sql}\nwanted: {index}\ngot: {plan}");
        }
    }
}
