//! `wellspring workflow`: check files, list kinds.

use std::path::Path;
use std::process::ExitCode;

use workflow::{KindInfo, Port, Workflow};

use crate::args::WorkflowCommand;
use crate::output;

/// Runs a subcommand.
pub fn run(command: &WorkflowCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        WorkflowCommand::Check { file } => return check(file, json),
        WorkflowCommand::Kinds { kind } => kinds(kind.as_deref(), json)?,
        WorkflowCommand::Schema => output::json(&config::schema_workflow())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let source = config::WorkflowFile::load(file)?;
    let workflow = match Workflow::compile(&source) {
        Ok(workflow) => workflow,
        Err(mistakes) => {
            for mistake in &mistakes {
                output::note(format!("error: `{}`: {mistake}", file.display()));
            }
            return Ok(ExitCode::from(1));
        }
    };
    let mut resolved = source.clone();
    workflow::resolve_files(&mut resolved);
    let warnings: Vec<String> = Workflow::compile(&resolved)
        .map(|workflow| workflow.warnings())
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    for warning in &warnings {
        output::note(format!("warning: `{}`: {warning}", file.display()));
    }
    let describe = |i: usize| {
        let job = &workflow.jobs[i];
        serde_json::json!({
            "id": job.id, "kind": job.kind.name, "scope": job.kind.scope, "inputs": job.inputs, "outputs": job.outputs,
            "after": job.upstream.iter().map(|&u| workflow.jobs[u].id.as_str()).collect::<Vec<_>>(), "parameters": job.parameters, "keep": job.keep,
        })
    };
    if json {
        output::json(
            &serde_json::json!({ "name": workflow.name, "version": workflow.version, "warnings": warnings, "jobs": (0..workflow.jobs.len()).map(describe).collect::<Vec<_>>() }),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format!(
        "{} version {}: {} jobs, in this order",
        workflow.name,
        workflow.version,
        workflow.jobs.len()
    ));
    for job in &workflow.jobs {
        let names = |bindings: &workflow::Bindings| {
            bindings
                .values()
                .flatten()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let kept = if job.keep { "" } else { " (not stored)" };
        output::line(format!(
            "  {:20} {:32} {} -> {}{kept}",
            job.id,
            job.kind.name,
            names(&job.inputs),
            names(&job.outputs)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn kinds(only: Option<&str>, json: bool) -> anyhow::Result<()> {
    let chosen: Vec<&KindInfo> = workflow::kinds::ALL
        .iter()
        .copied()
        .filter(|k| only.is_none_or(|o| k.name == o))
        .collect();
    if chosen.is_empty() {
        anyhow::bail!(
            "no job kind `{}`; `wellspring workflow kinds` lists them",
            only.unwrap_or_default()
        );
    }
    if json {
        let describe = |k: &&KindInfo| serde_json::json!({ "name": k.name, "version": k.version, "scope": k.scope, "about": k.about, "inputs": k.inputs, "outputs": k.outputs, "parameters": (k.schema)() });
        return output::json(&chosen.iter().map(describe).collect::<Vec<_>>());
    }
    output::print(
        &chosen
            .iter()
            .map(|k| text(k))
            .collect::<Vec<_>>()
            .join("\n"),
    );
    Ok(())
}

/// A kind as plain text: what it does, its ports, its parameters.
fn text(kind: &KindInfo) -> String {
    let mut out = format!(
        "{}  ({})\n  {}\n",
        kind.name,
        kind.scope.as_str(),
        kind.about
    );
    for (what, ports) in [("input", kind.inputs), ("output", kind.outputs)] {
        for port in ports {
            let Port {
                name,
                about,
                many,
                optional,
                ..
            } = port;
            let marks = match (many, optional) {
                (true, true) => " [list, optional]",
                (true, false) => " [list]",
                (false, true) => " [optional]",
                (false, false) => "",
            };
            out.push_str(&format!("  {what:7} {name}{marks}: {about}\n"));
        }
    }
    let schema = (kind.schema)();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let default = property
            .get("default")
            .map_or_else(String::new, |d| format!(" (default {d})"));
        out.push_str(&format!(
            "  {name}{default}: {}\n",
            property["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ")
        ));
    }
    out
}
