//! `wellspring config`: make, check and show the configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use config::{DaemonConfig, LoadOptions, Loaded};

use crate::args::ConfigCommand;
use crate::output;

/// Runs a subcommand.
pub fn run(command: &ConfigCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Init => output::print(&config::commented_default()),
        ConfigCommand::Schema => output::json(&config::schema_daemon())?,
        ConfigCommand::Check { config } => return check(config, json),
        ConfigCommand::Show { config } => show(&load(config, Vec::new())?, json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Loads a configuration with the environment and these flags on top.
pub fn load(file: &Path, overrides: Vec<(String, toml::Value)>) -> anyhow::Result<Loaded> {
    let loaded = DaemonConfig::load(LoadOptions {
        files: vec![file.to_owned()],
        env: std::env::vars().collect(),
        overrides,
    })?;
    for warning in &loaded.warnings {
        output::note(format!("warning: {warning}"));
    }
    Ok(loaded)
}

fn check(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let loaded = load(file, Vec::new())?;
    let mut mistakes: Vec<String> = Vec::new();
    for root in &loaded.config.roots {
        if let Err(error) = engine::check_root(&loaded.config, root) {
            mistakes.push(format!("root `{}`: {error}", root.path.display()));
        }
    }
    if json {
        output::json(
            &serde_json::json!({ "file": file, "ok": mistakes.is_empty(), "mistakes": mistakes }),
        )?;
    } else {
        for mistake in &mistakes {
            output::note(format!("error: {mistake}"));
        }
        if mistakes.is_empty() {
            output::line(format!(
                "`{}` is right: {} root(s), and their workflows can run",
                file.display(),
                loaded.config.roots.len()
            ));
        }
    }
    Ok(if mistakes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn show(loaded: &Loaded, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(
            &serde_json::json!({ "config": loaded.config, "origins": loaded.origins.iter().map(|(k, o)| (k.clone(), o.to_string())).collect::<std::collections::BTreeMap<_, _>>() }),
        );
    }
    for entry in loaded.entries() {
        output::line(format!(
            "{:34} = {:40} # {}",
            entry.key, entry.value, entry.origin
        ));
    }
    Ok(())
}

/// The configuration that is used where none is named: the environment's, else the system's, if it is there.
pub fn default_file() -> Option<PathBuf> {
    let file = std::env::var_os("WELLSPRING_CONFIG").map_or_else(
        || PathBuf::from("/etc/wellspring/wellspring.toml"),
        PathBuf::from,
    );
    file.is_file().then_some(file)
}
