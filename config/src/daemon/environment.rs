//! Options in environment variables: `WELLSPRING_<SECTION>__<KEY>`, and a few short names.

use crate::problem::{Place, Problem};
use crate::schema::{self, Kind};
use crate::suggest::did_you_mean;

const PREFIX: &str = "WELLSPRING_";

/// Short names, weaker than the long ones. `LOGLEVEL` is BatchLib's.
const SHORT: [(&str, &str); 5] = [
    ("LOGLEVEL", "log.level"),
    ("WELLSPRING_LOG_LEVEL", "log.level"),
    ("WELLSPRING_LISTEN", "server.listen"),
    ("WELLSPRING_STATE_DIR", "state.dir"),
    ("WELLSPRING_WORKFLOW_DIRS", "workflow_dirs"),
];

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Weakest first.
    pub(super) settings: Vec<Setting>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// One option from one variable.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) variable: String,
    pub(super) key: String,
    pub(super) value: toml::Value,
}

/// The variable that sets an option; `None` for options of a watched folder.
fn variable(key: &str) -> Option<String> {
    match key.split_once('.') {
        Some((section, _)) if section.contains("[]") => None,
        Some((section, name)) => Some(format!(
            "{PREFIX}{}__{}",
            section.to_uppercase(),
            name.to_uppercase()
        )),
        None => SHORT
            .iter()
            .find(|(_, short)| *short == key)
            .map(|(name, _)| (*name).to_owned()),
    }
}

/// All variables that set an option, the strongest first.
pub(crate) fn environment_variables(key: &str) -> Vec<String> {
    let short = SHORT
        .iter()
        .rev()
        .filter(|(_, short)| *short == key)
        .map(|(name, _)| (*name).to_owned());
    let mut all: Vec<String> = variable(key).into_iter().chain(short).collect();
    all.dedup();
    all
}

/// Reads the variables that are meant for the daemon. An empty value means that the variable is not set.
pub(super) fn read(env: &[(String, String)]) -> Environment {
    let mut out = Environment::default();
    let set = |name: &str| {
        env.iter()
            .rev()
            .find(|(n, value)| n == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    };
    for (name, key) in SHORT {
        let Some(text) = set(name) else { continue };
        if name == "LOGLEVEL" {
            match log_level(text) {
                Some(level) => out.settings.push(Setting {
                    variable: name.to_owned(),
                    key: key.to_owned(),
                    value: level.into(),
                }),
                // The name is not ours alone, so what another program put there must not stop the daemon.
                None => out.warnings.push(
                    Problem::warning(
                        key,
                        format!("`{text}` in LOGLEVEL is not a level; it is passed over"),
                    )
                    .remedy("use error, warn, info, debug or trace")
                    .at(Place::Environment(name.to_owned())),
                ),
            }
        } else {
            take(&mut out, name, key, text);
        }
    }
    let known: Vec<(String, String)> = schema::options(schema::daemon())
        .into_iter()
        .filter_map(|option| Some((variable(&option.key)?, option.key)))
        .collect();
    for (name, _) in env.iter().filter(|(name, text)| {
        name.starts_with(PREFIX)
            && !text.is_empty()
            && !SHORT.iter().any(|(short, _)| short == name)
    }) {
        if let Some((meant, key)) = known
            .iter()
            .find(|(variable, _)| variable != name && variable.replacen("__", "_", 1) == *name)
        {
            let problem =
                Problem::warning(key, format!("`{name}` is no option; it is passed over"))
                    .remedy(format!("did you mean `{meant}`, with two underscores?"));
            out.warnings
                .push(problem.at(Place::Environment(name.clone())));
        }
    }
    for (name, text) in env
        .iter()
        .filter(|(name, text)| name.starts_with(PREFIX) && name.contains("__") && !text.is_empty())
    {
        match known.iter().find(|(variable, _)| variable == name) {
            Some((_, key)) => take(&mut out, name, key, text),
            None => {
                let remedy = if name.starts_with("WELLSPRING_ROOT__") {
                    "watched folders are given in files; put a `[[root]]` block into a file in `conf.d`".to_owned()
                } else if name.starts_with("WELLSPRING_NOTIFY__") {
                    "those who are told are given in files; put a `[[notify]]` block into a file in `conf.d`".to_owned()
                } else {
                    let near =
                        did_you_mean(name, known.iter().map(|(variable, _)| variable.as_str()));
                    near.map_or_else(
                        || "`wellspring config show` lists all options".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    )
                };
                out.problems.push(
                    Problem::error("", format!("unknown environment variable `{name}`"))
                        .remedy(remedy)
                        .at(Place::Environment(name.clone())),
                );
            }
        }
    }
    out
}

fn take(out: &mut Environment, name: &str, key: &str, text: &str) {
    let Some(option) = schema::options(schema::daemon())
        .into_iter()
        .find(|option| option.key == key)
    else {
        return;
    };
    match value(text, option.kind()) {
        Ok(value) => out.settings.push(Setting {
            variable: name.to_owned(),
            key: key.to_owned(),
            value,
        }),
        Err(message) => out
            .problems
            .push(Problem::error(key, message).at(Place::Environment(name.to_owned()))),
    }
}

/// Reads a text as what an option wants: `true`, `4`, `a, b` or `["a", "b"]` for a list, anything else as it is.
pub(super) fn value(text: &str, kind: Kind) -> Result<toml::Value, String> {
    let trimmed = text.trim();
    if kind.boolean {
        return match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true.into()),
            "false" | "0" | "no" | "off" => Ok(false.into()),
            _ => Err(format!("`{text}` is neither true nor false")),
        };
    }
    if kind.list {
        if trimmed.starts_with('[') {
            let parsed = toml::from_str::<toml::Table>(&format!("list = {trimmed}"))
                .ok()
                .and_then(|mut table| table.remove("list"));
            return parsed.ok_or_else(|| {
                format!("`{text}` is not a list; write `a, b` or `[\"a\", \"b\"]`")
            });
        }
        return Ok(toml::Value::Array(
            trimmed
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| part.into())
                .collect(),
        ));
    }
    match trimmed.parse::<i64>() {
        Ok(number) if kind.integer => Ok(number.into()),
        _ if kind.text => Ok(text.into()),
        _ => Err(format!("`{text}` is not a whole number")),
    }
}

/// Levels as Python writes them, too.
fn log_level(text: &str) -> Option<&'static str> {
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "off" => "off",
        "error" | "critical" | "fatal" => "error",
        "warn" | "warning" => "warn",
        "info" => "info",
        "debug" => "debug",
        "trace" | "notset" => "trace",
        _ => return None,
    })
}
