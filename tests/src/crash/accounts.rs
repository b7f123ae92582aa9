//! What the queue must say of itself after every restart, asked of its database while the daemon runs.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};

/// Reads the queue beside the daemon.
pub struct Accounts {
    database: PathBuf,
}

/// Queries that must find nothing, with what a row would mean.
const NEVER: &[(&str, &str)] = &[
    (
        "a task succeeded twice at one revision",
        "SELECT task_id || ' at ' || revision FROM attempt WHERE outcome = 'succeeded' GROUP BY task_id, revision HAVING count(*) > 1",
    ),
    (
        "a pass of a dead daemon is open",
        "SELECT id FROM pass WHERE ended_at IS NULL AND boot_id <> (SELECT value FROM setting WHERE key = 'boot_id')",
    ),
    (
        "a task is running without an open pass",
        "SELECT task.id FROM task LEFT JOIN pass ON pass.id = task.pass_id AND pass.ended_at IS NULL WHERE task.state = 'running' AND pass.id IS NULL",
    ),
    (
        "an attempt is running though its task is not",
        "SELECT attempt.id FROM attempt JOIN task ON task.id = attempt.task_id WHERE attempt.outcome = 'running' AND (task.state <> 'running' OR task.pass_id <> attempt.pass_id)",
    ),
    (
        "an event is missing",
        "SELECT 'of ' || min(id) || '..' || max(id) || ' there are ' || count(*) FROM event HAVING max(id) - min(id) + 1 <> count(*)",
    ),
    // At the first revision nothing has set the counters back.
    (
        "crashes are counted wrongly",
        "SELECT id || ': ' || crashes FROM task WHERE revision = 1 AND crashes <> (SELECT count(*) FROM attempt WHERE task_id = task.id AND outcome = 'crashed')",
    ),
    (
        "interruptions are counted wrongly",
        "SELECT id || ': ' || interruptions FROM task WHERE revision = 1 AND interruptions <> (SELECT count(*) FROM attempt WHERE task_id = task.id AND outcome = 'interrupted')",
    ),
    (
        "attempts are counted wrongly",
        "SELECT id || ': ' || attempts FROM task WHERE revision = 1 AND attempts <> (SELECT count(*) FROM attempt WHERE task_id = task.id AND (outcome = 'succeeded' OR outcome = 'failed' AND json_extract(error, '$.class') <> 'environment'))",
    ),
    (
        "two subjects share a container",
        "SELECT CAST(container AS TEXT) FROM subject WHERE container IS NOT NULL GROUP BY container HAVING count(*) > 1",
    ),
    (
        "nobody was told of a plate's end",
        "SELECT plate.name || ' ' || plate.state FROM plate LEFT JOIN notice ON notice.plate_id = plate.id AND notice.kind = plate.state AND notice.revision = plate.endings WHERE plate.state IN ('done', 'done_with_failures') AND notice.id IS NULL",
    ),
    (
        "a file belongs to no subject",
        "SELECT CAST(path AS TEXT) FROM file WHERE state = 'registered' AND subject_id IS NULL",
    ),
];

impl Accounts {
    /// The accounts of the daemon with this state folder.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self {
            database: state.join("queue.db"),
        }
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.database, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(120))?;
        Ok(connection)
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        let read = || -> rusqlite::Result<Vec<String>> {
            self.open()?
                .prepare(sql)?
                .query_map([], |row| {
                    Ok(match row.get_ref(0)? {
                        rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                        other => other.as_str()?.to_owned(),
                    })
                })?
                .collect()
        };
        read().unwrap_or_else(|e| panic!("the queue cannot be read: {e}: {sql}"))
    }

    fn number(&self, sql: &str) -> i64 {
        self.texts(sql)
            .first()
            .and_then(|t| t.parse().ok())
            .unwrap_or(0)
    }

    /// What should never be, and is.
    ///
    /// # Panics
    /// The database cannot be read.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let find = |(what, sql): &(&str, &str)| {
            let rows = self.texts(sql);
            (!rows.is_empty()).then(|| format!("{what}: {}", rows.join(", ")))
        };
        NEVER.iter().filter_map(find).collect()
    }

    /// Whether SQLite finds the file whole.
    ///
    /// # Panics
    /// The database cannot be read.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.texts("PRAGMA integrity_check") == ["ok"]
    }

    /// Attempts that ended by the death of a worker, of all times.
    ///
    /// # Panics
    /// The database cannot be read.
    #[must_use]
    pub fn crashes(&self) -> i64 {
        self.number("SELECT count(*) FROM attempt WHERE outcome = 'crashed'")
    }

    /// The newest event.
    ///
    /// # Panics
    /// The database cannot be read.
    #[must_use]
    pub fn last_event(&self) -> i64 {
        self.number("SELECT max(id) FROM event")
    }

    /// What is not at its end: tasks, plates and image sets that still have to move, with their numbers.
    ///
    /// # Panics
    /// The database cannot be read.
    #[must_use]
    pub fn unfinished(&self) -> Vec<String> {
        self.texts(
            "SELECT 'task ' || state || ' ' || count(*) FROM task WHERE state <> 'succeeded' GROUP BY state \
             UNION ALL SELECT 'plate ' || name || ' ' || state FROM plate WHERE state <> 'done' \
             UNION ALL SELECT 'image set ' || name || ' ' || state FROM subject WHERE state <> 'complete' \
             UNION ALL SELECT 'file ' || CAST(path AS TEXT) || ' ' || state || ' ' || coalesce(reason, '') FROM file WHERE state <> 'registered' OR reason IS NOT NULL",
        )
    }

    /// The messages about plates that were delivered, by their tokens, and how many are not.
    ///
    /// # Panics
    /// The database cannot be read.
    #[must_use]
    pub fn notices(&self) -> (Vec<String>, i64) {
        let sent = self.texts("SELECT token FROM notice WHERE state = 'sent'");
        let others = self.number("SELECT count(*) FROM notice WHERE state <> 'sent'");
        (sent, others)
    }

    /// Numbers of attempts by outcome, and of plates, image sets and tasks.
    ///
    /// # Panics
    /// The database cannot be read.
    #[must_use]
    pub fn figures(&self) -> String {
        self.texts(
            "SELECT 'attempts ' || outcome || ' ' || count(*) FROM attempt GROUP BY outcome \
             UNION ALL SELECT 'plates ' || count(*) FROM plate \
             UNION ALL SELECT 'image sets ' || count(*) FROM subject WHERE kind = 'image_set' \
             UNION ALL SELECT 'tasks ' || count(*) FROM task \
             UNION ALL SELECT 'notices ' || count(*) FROM notice \
             UNION ALL SELECT 'contents ' || sum(revision) FROM file \
             UNION ALL SELECT 'events ' || count(*) FROM event",
        )
        .join(", ")
    }

    /// Adds to each site of the truth the keys that its results must carry.
    ///
    /// # Panics
    /// The database cannot be read.
    pub fn add_keys(&self, plates: &mut Value) {
        let rows = self.texts(
            "SELECT json_array(plate.name, subject.name, task.job, task.key) FROM task \
             JOIN subject ON subject.id = task.subject_id JOIN plate ON plate.id = task.plate_id WHERE task.scope = 'image_set'",
        );
        let rows: Vec<[String; 4]> = rows
            .iter()
            .map(|r| serde_json::from_str(r).unwrap_or_else(|e| panic!("{r}: {e}")))
            .collect();
        for plate in plates.as_array_mut().into_iter().flatten() {
            let name = plate["name"].clone();
            for site in plate["sites"].as_array_mut().into_iter().flatten() {
                let keys: Map<String, Value> = rows
                    .iter()
                    .filter(|[p, s, ..]| name == p.as_str() && site["name"] == s.as_str())
                    .map(|[_, _, job, key]| (job.clone(), key.clone().into()))
                    .collect();
                site["keys"] = keys.into();
            }
        }
    }

    /// How many image sets and plates there are.
    ///
    /// # Panics
    /// The database cannot be read.
    #[must_use]
    pub fn subjects(&self, kind: &str) -> i64 {
        self.number(&format!(
            "SELECT count(*) FROM subject WHERE kind = '{kind}'"
        ))
    }
}
