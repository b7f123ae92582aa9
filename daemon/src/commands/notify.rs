//! `wellspring notify`: whether those are reached who want to be told.

use std::process::ExitCode;

use notices::{Addressee, Message};
use serde::Serialize;

use crate::args::NotifyCommand;
use crate::commands::config as configuration;
use crate::output;

/// How a test went.
#[derive(Serialize)]
struct Tried {
    name: String,
    way: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// Runs a subcommand. Exit code 1 where somebody was not reached.
pub fn run(command: &NotifyCommand, json: bool) -> anyhow::Result<ExitCode> {
    let NotifyCommand::Test { name, config } = command;
    let loaded = configuration::load(config, Vec::new())?;
    let recipients = loaded.config.recipients;
    let known: Vec<&str> = recipients.iter().map(|r| r.name.as_str()).collect();
    match name {
        Some(name) if !known.contains(&name.as_str()) => {
            anyhow::bail!(
                "there is no `[[notify]]` with the name `{name}` in `{}`; there are: {}",
                config.display(),
                known.join(", ")
            );
        }
        None if known.is_empty() => anyhow::bail!(
            "nobody is told anything: `{}` has no `[[notify]]`; add one, see `wellspring config init`",
            config.display()
        ),
        _ => {}
    }
    let wanted = recipients
        .into_iter()
        .filter(|r| name.as_ref().is_none_or(|name| *name == r.name));
    let mut all = Vec::new();
    for addressee in wanted.map(Addressee::new) {
        let tried = test(&addressee);
        if !json {
            tell(&tried);
        }
        all.push(tried);
    }
    let ok = all.iter().all(|tried| tried.ok);
    if json {
        output::json(&serde_json::json!({ "ok": ok, "recipients": all }))?;
    }
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn test(addressee: &Addressee) -> Tried {
    let sent = addressee.send(&Message::test());
    let (error, remedy) = match &sent {
        Ok(()) => (None, None),
        Err(error) => (Some(error.to_string()), Some(error.remedy())),
    };
    Tried {
        name: addressee.name().to_owned(),
        way: addressee.to_string(),
        ok: sent.is_ok(),
        error,
        remedy,
    }
}

fn tell(tried: &Tried) {
    match (&tried.error, &tried.remedy) {
        (Some(error), remedy) => {
            output::line(format!("PROBLEM  {}: {}: {error}", tried.name, tried.way));
            if let Some(remedy) = remedy {
                output::line(format!("         hint: {remedy}"));
            }
        }
        (None, _) => output::line(format!("ok       {}: {}", tried.name, tried.way)),
    }
}
