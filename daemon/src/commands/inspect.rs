//! `wellspring inspect`: what is in an HDF5 file or an N5 folder.

use std::process::ExitCode;

use image_io::container::{Container, Node, NodeKind, inspect};
use image_io::table::{Table, Values};

use crate::args::InspectOptions;
use crate::output;

/// Prints the tree of a file, or one of its tables.
pub fn run(options: &InspectOptions, json: bool) -> anyhow::Result<ExitCode> {
    match &options.table {
        Some(name) => table(&Container::open(&options.file)?.read_table(name)?, json)?,
        None => {
            let inspection = inspect(&options.file)?;
            if json {
                output::json(&inspection)?;
            } else {
                let mut text = format!(
                    "{}  {} bytes\n",
                    inspection.path.display(),
                    inspection.bytes
                );
                tree(&inspection.root, 0, &mut text);
                output::print(&text);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn cell(values: &Values, row: usize) -> serde_json::Value {
    match values {
        Values::Int(v) => v[row].into(),
        // JSON has no NaN: a missing value is null.
        Values::Float(v) => v[row].into(),
        Values::Text(v) => v[row].as_str().into(),
    }
}

fn table(table: &Table, json: bool) -> anyhow::Result<()> {
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let rows = table.rows();
    if json {
        let row = |r: usize| {
            table
                .columns
                .iter()
                .map(|c| (c.name.clone(), cell(&c.values, r)))
                .collect::<serde_json::Map<_, _>>()
        };
        return output::json(
            &serde_json::json!({ "columns": names, "rows": (0..rows).map(row).collect::<Vec<_>>() }),
        );
    }
    let mut text = names.join("\t") + "\n";
    for r in 0..rows {
        let cells: Vec<String> = table
            .columns
            .iter()
            .map(|c| match cell(&c.values, r) {
                serde_json::Value::String(s) => s,
                serde_json::Value::Null => "nan".to_owned(),
                other => other.to_string(),
            })
            .collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    output::print(&text);
    Ok(())
}

/// The tree of a file, two spaces a level.
fn tree(node: &Node, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let detail = match &node.kind {
        NodeKind::Group { .. } => "/".to_owned(),
        NodeKind::Dataset(d) => {
            let chunk = d
                .chunk
                .as_ref()
                .map_or_else(String::new, |c| format!(" in chunks of {c:?}"));
            let filters = if d.filters.is_empty() {
                String::new()
            } else {
                format!(", {}", d.filters.join(" + "))
            };
            format!(
                "  {} {:?}{chunk}{filters}, {} of {} bytes",
                d.dtype, d.shape, d.stored_bytes, d.bytes
            )
        }
        NodeKind::SoftLink { target } | NodeKind::HardLink { target } => format!(" -> {target}"),
        NodeKind::Other => "  (not described)".to_owned(),
    };
    out.push_str(&format!(
        "{indent}{}{detail}\n",
        node.name.trim_end_matches('/')
    ));
    for (name, value) in &node.attributes {
        out.push_str(&format!(
            "{indent}  @{name} = {}\n",
            serde_json::to_string(value).unwrap_or_default()
        ));
    }
    if let NodeKind::Group { members } = &node.kind {
        members.iter().for_each(|m| tree(m, depth + 1, out));
    }
}
