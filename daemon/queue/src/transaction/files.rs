//! Files that the watcher reported: identity is (root, path, content).

use std::path::Path;

use rusqlite::params;
use serde_json::json;

use super::{About, Transaction};
use crate::columns::Json;
use crate::error::Result;
use crate::ids::{FileId, RootId};
use crate::model::{FILE_COLUMNS, FileRecord, FileRow, Recorded};
use crate::paths::bytes;
use crate::statements::FILE_BY_PATH;
use crate::states::EventKind;

impl Transaction<'_> {
    /// Records a whole file. Recording it again changes nothing; touching, moving away and back, or changing its mode
    /// only brings the time stamps up to date; new content under the old name raises its revision.
    ///
    /// # Errors
    /// If the root or the subject does not exist, or the database fails.
    pub fn record_file(&mut self, file: &FileRecord) -> Result<Recorded> {
        let Some(known) = self.find_file(file.root, &file.path)? else {
            return self.add_file(file);
        };
        let id = known.id;
        let judged = (
            known.state,
            &known.reason,
            &known.remedy,
            known.subject,
            &known.parsed,
        ) == (
            file.state,
            &file.reason,
            &file.remedy,
            file.subject,
            &file.parsed,
        );
        let same_content = same_content(&known, file);
        let revision = known.revision + i64::from(!same_content);
        let stamped = (
            known.size,
            known.mtime_ns,
            known.ctime_ns,
            known.inode,
            known.device,
            &known.content,
        ) == (
            file.size,
            file.mtime_ns,
            file.ctime_ns,
            file.inode,
            file.device,
            &file.content,
        );
        let returned = known.vanished_at.is_some();
        if same_content && judged && stamped && !returned {
            return Ok(Recorded::Same(id));
        }
        self.execute(
            "UPDATE file SET size = ?2, mtime_ns = ?3, ctime_ns = ?4, inode = ?5, content = coalesce(?6, content), \
             state = ?7, reason = ?8, remedy = ?9, subject_id = ?10, parsed = ?11, revision = ?12, seen_at = ?13, \
             device = ?14, vanished_at = NULL WHERE id = ?1",
            params![
                id,
                file.size.cast_signed(),
                file.mtime_ns,
                file.ctime_ns,
                file.inode.cast_signed(),
                file.content,
                file.state,
                file.reason,
                file.remedy,
                file.subject,
                Json(&file.parsed),
                revision,
                self.now,
                file.device.cast_signed(),
            ],
        )?;
        if !same_content {
            self.file_event(EventKind::FileSuperseded, id, file, revision)?;
            return Ok(Recorded::Superseded {
                file: id,
                revision,
                previous_subject: known.subject,
            });
        }
        if !judged {
            self.file_event(EventKind::FileReclassified, id, file, revision)?;
            return Ok(Recorded::Reclassified(id));
        }
        if returned {
            self.file_event(EventKind::FileReturned, id, file, revision)?;
            return Ok(Recorded::Returned(id));
        }
        Ok(Recorded::Same(id))
    }

    /// The file at a path below a root, as this transaction has left it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn find_file(&self, root: RootId, path: &Path) -> Result<Option<FileRow>> {
        self.first(
            &format!("SELECT {FILE_COLUMNS} {FILE_BY_PATH}"),
            params![root, bytes(path)],
            FileRow::read,
        )
    }

    /// Marks a file as gone. It stays recorded with everything that came of it, and is marked no more as soon as it is
    /// recorded again. Returns whether it was there before.
    ///
    /// # Errors
    /// If the database fails.
    pub fn mark_vanished(&mut self, root: RootId, path: &Path) -> Result<bool> {
        let Some(known) = self
            .find_file(root, path)?
            .filter(|file| file.vanished_at.is_none())
        else {
            return Ok(false);
        };
        self.execute(
            "UPDATE file SET vanished_at = ?2 WHERE id = ?1",
            params![known.id, self.now],
        )?;
        let about = About {
            subject: known.subject,
            ..About::NOTHING
        };
        let data = json!({ "file": known.id, "root": root, "path": path.to_string_lossy() });
        self.event(EventKind::FileVanished, about, &data)?;
        Ok(true)
    }

    fn add_file(&mut self, file: &FileRecord) -> Result<Recorded> {
        let id = FileId(self.insert(
            "INSERT INTO file (root_id, path, size, mtime_ns, ctime_ns, inode, content, state, reason, remedy, \
             subject_id, parsed, first_seen, seen_at, device) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14)",
            params![
                file.root,
                bytes(&file.path),
                file.size.cast_signed(),
                file.mtime_ns,
                file.ctime_ns,
                file.inode.cast_signed(),
                file.content,
                file.state,
                file.reason,
                file.remedy,
                file.subject,
                Json(&file.parsed),
                self.now,
                file.device.cast_signed(),
            ],
        )?);
        self.file_event(EventKind::FileRecorded, id, file, 1)?;
        Ok(Recorded::New(id))
    }

    fn file_event(
        &mut self,
        kind: EventKind,
        id: FileId,
        file: &FileRecord,
        revision: i64,
    ) -> Result<()> {
        let about = About {
            subject: file.subject,
            ..About::NOTHING
        };
        let data = json!({
            "file": id,
            "root": file.root,
            "path": file.path.to_string_lossy(),
            "state": file.state,
            "reason": file.reason,
            "revision": revision,
        });
        self.event(kind, about, &data)
    }
}

/// Without hashes of both sides, size and modification time have to stand in for the content.
fn same_content(known: &FileRow, file: &FileRecord) -> bool {
    match (&known.content, &file.content) {
        (Some(before), Some(now)) => before == now,
        _ => (known.size, known.mtime_ns) == (file.size, file.mtime_ns),
    }
}
