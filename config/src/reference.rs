//! The reference of all options, in Markdown.

use std::fmt::Write;

use serde_json::Value;

use crate::daemon::environment_variables;
use crate::schema::{self, SchemaOption};

const HEAD: &str = "\
<!-- Written from the doc comments in `config/src` by `UPDATE_DOCS=1 cargo test -p config`; changes here are lost. -->
# Configuration

The daemon reads `/etc/wellspring/wellspring.toml`, then `conf.d/*.toml` beside it, then the environment, then the command
line; what is read later wins. `wellspring config show` prints every value and where it came from,
`wellspring config check` says what is wrong with a file, `wellspring config init` prints a commented file.

- A file in `conf.d` overrides single options. Lists are replaced, `[[root]]` and `[[notify]]` blocks are added.
- An environment variable is called `WELLSPRING_<SECTION>__<KEY>`, for example `WELLSPRING_SERVER__LISTEN`. A list is
  written `a, b` or `[\"a\", \"b\"]`. An empty variable counts as not set. Watched folders and those who are
  told cannot be set there.
- Relative paths begin at the folder of the file in which they stand; in the environment and on the command line, at the
  current folder. `~` and `$NAME` are not expanded.
- Sizes carry a unit: `512 MiB`, `1.5 GB`. Times are whole seconds.
- An unknown key or value is an error.
- `systemctl reload wellspring` (SIGHUP) reads it again: folders, workflows, workers, limits, those who are told and the log level
  change in the running daemon, `[server]`, the state folder and the log format at the next restart. A file that cannot be used changes
  nothing; the log and `/readyz` say so. No work is lost by either.
";

/// Renders the reference of both kinds of file from their schemas.
#[must_use]
pub fn reference_markdown() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n## The daemon: `wellspring.toml`\n");
    render(&mut out, schema::daemon());
    out.push_str("\n## Workflow files\n\n");
    out.push_str(WORKFLOW_HEAD);
    render(&mut out, schema::workflow());
    out
}

const WORKFLOW_HEAD: &str = "\
A workflow file is TOML, too. Each `[[job]]` takes the keys below; all its other keys are parameters of its kind.
";

fn render(out: &mut String, schema: &Value) {
    let mut section = String::new();
    for option in schema::options(schema) {
        let place = option
            .key
            .strip_suffix(option.name())
            .map_or("", |p| p.trim_end_matches('.'));
        if place != section {
            place.clone_into(&mut section);
            let header = match place.strip_suffix("[]") {
                Some(list) => format!("[[{list}]]"),
                None => format!("[{}]", place.replace("[]", "")),
            };
            let description = schema::section_description(schema, place);
            put(out, &format!("\n### `{header}`\n\n{description}\n"));
        }
        render_option(out, &option);
    }
}

fn render_option(out: &mut String, option: &SchemaOption<'_>) {
    put(
        out,
        &format!(
            "\n#### `{}`\n\n{}\n\n",
            option.key.replace("[]", ""),
            option.description()
        ),
    );
    let words = schema::words(option.schema).unwrap_or_default();
    for (word, meaning) in &words {
        put(out, &format!("- `{word}`: {meaning}\n"));
    }
    if !words.is_empty() {
        put(out, "\n");
    }
    let mut facts = vec![type_name(option).to_owned()];
    match option.default() {
        _ if option.required => facts.push("required".to_owned()),
        Some(default) => facts.push(format!("default `{}`", example_text(default))),
        None => facts.push("not set by default".to_owned()),
    }
    if let Some(example) = option.example() {
        facts.push(format!("for example `{}`", example_text(example)));
    }
    let variables = environment_variables(&option.key);
    if !variables.is_empty() {
        facts.push(format!(
            "environment {}",
            variables
                .iter()
                .map(|v| format!("`{v}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ));
    }
    put(out, &format!("*{}*\n", facts.join(" · ")));
}

fn put(out: &mut String, text: &str) {
    let _infallible = out.write_str(text);
}

/// The values that an option can have, with what each means; empty where the value is free.
pub(crate) fn type_words(option: &SchemaOption<'_>) -> String {
    let words = schema::words(option.schema).unwrap_or_default();
    words
        .iter()
        .map(|(word, meaning)| format!("`{word}`: {meaning}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn type_name(option: &SchemaOption<'_>) -> &'static str {
    match option.schema.get("format").and_then(Value::as_str) {
        Some("size") => return "size",
        Some("path") => return "path",
        _ => {}
    }
    let kind = option.kind();
    match (kind.boolean, kind.integer, kind.text, kind.list) {
        (true, _, false, _) => "true or false",
        (false, true, false, _) => "whole number",
        (false, true, true, _) => "`\"auto\"` or whole number",
        (false, false, true, false) => "text",
        (false, false, false, true) => "list",
        (false, false, true, true) => "text, list or table",
        _ => "table",
    }
}

/// A value of a schema as it is written in TOML.
pub(crate) fn example_text(value: &Value) -> String {
    match value {
        Value::Array(items) => format!(
            "[{}]",
            items
                .iter()
                .map(example_text)
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        other => other.to_string(),
    }
}
