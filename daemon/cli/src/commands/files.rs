//! `wellspring files`.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::{Client, ClientOptions, Console, Error, Exit, Result};
use crate::args::{CursorArgs, FilesCommand};
use crate::listing::Listing;
use crate::resolve;
use crate::sheet::{Cell, Sheet};
use crate::wire::File;
use crate::words::harmless;

/// Runs one of the commands.
pub(super) fn run(
    options: &ClientOptions,
    command: &FilesCommand,
    console: &Console,
) -> Result<Exit> {
    let client = Client::new(options)?;
    match command {
        FilesCommand::List {
            root,
            state,
            vanished,
            text,
            cursor,
        } => {
            let mut filter = Vec::new();
            if let Some(root) = root {
                filter.push(("root", resolve::root(&client, root)?.id.to_string()));
            }
            filter.extend(state.map(|state| ("state", state.word().to_owned())));
            if *vanished {
                filter.push(("vanished", "true".to_owned()));
            }
            filter.extend(text.iter().map(|text| ("q", text.clone())));
            list(&client, &filter, *cursor, console)
        }
        FilesCommand::Explain { path } => explain(&client, path, console),
    }
}

fn list(
    client: &Client,
    filter: &[(&str, String)],
    cursor: CursorArgs,
    console: &Console,
) -> Result<Exit> {
    let listing = Listing::fetch(client, "/api/v1/files", filter, cursor)?;
    if console.mode.json {
        console.json(&listing.value())?;
        return Ok(Exit::Success);
    }
    let files: Vec<File> = listing.read()?;
    if files.is_empty() {
        console.note(if filter.is_empty() {
            "no files yet"
        } else {
            "no such files"
        });
    }
    let mut sheet =
        Sheet::new(&["ID", "STATE", "BYTES", "REVISION", "PATH", "REMARK"]).with_hints();
    for file in files {
        let gone = file
            .vanished_at
            .map(|at| format!("gone since {at:.0}; its results stay"));
        let remark = [gone, file.reason].into_iter().flatten();
        let cells = vec![
            file.id.into(),
            Cell::state(&file.state),
            file.size.into(),
            file.revision.into(),
            (&file.path).into(),
            remark.collect::<Vec<_>>().join("; ").into(),
        ];
        sheet.row_with_hint(cells, file.remedy);
    }
    console.sheet(&sheet)?;
    listing.note_rest(console);
    Ok(Exit::Success)
}

/// What the daemon knows about a file.
pub(super) fn explain(client: &Client, path: &Path, console: &Console) -> Result<Exit> {
    // The file need not be there, and the daemon knows it by the name below the root, so links stay.
    let absolute = std::path::absolute(path).map_err(|error| {
        let message = format!(
            "`{}` is neither the id of a task nor a path: {error}",
            path.display()
        );
        Error::new(Exit::Usage, message)
            .hint("give an id as in `wellspring tasks list`, or the path of a file")
    })?;
    // Paths are bytes; text in between would lose those that are not UTF-8.
    let path = encode(without_dots(&absolute).as_os_str().as_bytes());
    let answer = client
        .get(&format!("/api/v1/files/explain?path={path}"), &[])?
        .value()?;
    if console.mode.json {
        console.json(&answer)?;
        return Ok(Exit::Success);
    }
    for (name, value) in answer.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        console.line(format!("{name}: {}", harmless(&value)))?;
    }
    Ok(Exit::Success)
}

/// The path without `..`, as a person means it.
fn without_dots(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            out.pop();
        } else {
            out.push(part);
        }
    }
    out
}

/// Bytes as the value of a query parameter.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
