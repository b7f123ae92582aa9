//! Where the daemon is.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::args::ClientOptions;
use crate::error::{Error, Exit, Result};

/// Where the configuration is unless said.
const CONFIG: &str = "/etc/wellspring/wellspring.toml";

/// Where the queue is unless configured.
const STATE_DIR: &str = "/var/lib/wellspring";

/// Where the daemon listens unless configured.
const DEFAULT: &str = "http://127.0.0.1:8787";

/// The daemon's address, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// For example `http://127.0.0.1:8787`, without a slash at the end.
    pub url: String,
    /// Who says so.
    pub source: Source,
}

/// Who says where the daemon is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `--server` or `WELLSPRING_SERVER`.
    Given,
    /// The file that a running daemon leaves in its state folder.
    File(PathBuf),
    /// Nobody; the file that was looked for cannot be read, for this reason.
    Default(PathBuf, String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Address {
    /// Looks in the options, then in the environment, then in the files.
    pub(crate) fn locate(options: &ClientOptions) -> Result<Self> {
        Self::locate_with(options, |name| std::env::var_os(name))
    }

    fn locate_with(
        options: &ClientOptions,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self> {
        if let Some(server) = options
            .server
            .as_deref()
            .filter(|server| !server.trim().is_empty())
        {
            return Ok(Self {
                url: normal(server)?,
                source: Source::Given,
            });
        }
        let set = |name| env(name).filter(|value| !value.is_empty());
        let config = options.config.clone().unwrap_or_else(|| CONFIG.into());
        let dir = set("WELLSPRING_STATE_DIR")
            .or_else(|| set("WELLSPRING_STATE__DIR"))
            .map_or_else(
                || state_dir(&config, options.config.is_some()),
                |dir| Ok(dir.into()),
            )?;
        let file = dir.join("address");
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(Self {
                url: reachable(&normal(&text)?),
                source: Source::File(file),
            }),
            Err(error) => Ok(Self {
                url: DEFAULT.to_owned(),
                source: Source::Default(file, error.to_string()),
            }),
        }
    }

    /// What to do when nobody answers here.
    pub(crate) fn remedy(&self) -> String {
        let start =
            "start it with `systemctl start wellspring` or `wellspring serve --config FILE`";
        match &self.source {
            Source::Given => format!("check the address and that the daemon runs there; {start}"),
            Source::File(file) => format!(
                "the daemon named in `{}` has ended or hangs; {start}",
                file.display()
            ),
            Source::Default(file, why) => format!(
                "{start}, or say where it is with --server URL or WELLSPRING_CONFIG (`{}` cannot be read: {why})",
                file.display()
            ),
        }
    }
}

/// The state folder that a configuration names; a relative one is below the folder of the file.
fn state_dir(config: &Path, asked_for: bool) -> Result<PathBuf> {
    let text = match std::fs::read_to_string(config) {
        Ok(text) => text,
        // Many people who may use the daemon may not read its configuration.
        Err(_) if !asked_for => return Ok(STATE_DIR.into()),
        Err(error) => {
            let message = format!(
                "cannot read the configuration `{}`: {error}",
                config.display()
            );
            return Err(Error::new(Exit::Failure, message)
                .hint("check --config and WELLSPRING_CONFIG, or say where the daemon is with --server URL"));
        }
    };
    let dir = dir_of_state(&text).unwrap_or_else(|| STATE_DIR.to_owned());
    Ok(config.parent().unwrap_or(Path::new("")).join(dir))
}

/// `[state] dir` of a configuration. The rest of the file is none of a client's business, so it is scanned by lines and
/// not parsed: a mistake somewhere else must not keep anybody from asking for the status.
fn dir_of_state(text: &str) -> Option<String> {
    let mut table = String::new();
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let name = header.split(']').next().unwrap_or_default();
            table = name
                .trim_matches(|c: char| c == '[' || c.is_whitespace())
                .to_owned();
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let key: String = key
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '"')
            .collect();
        if (table == "state" && key == "dir") || (table.is_empty() && key == "state.dir") {
            found = string(value.trim());
        }
    }
    found
}

/// The TOML string that a text starts with.
fn string(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut out = String::new();
    let mut rest = text[1..].chars();
    loop {
        match rest.next()? {
            c if c == quote => return Some(out),
            '\\' if quote == '"' => match rest.next()? {
                't' => out.push('\t'),
                'n' => out.push('\n'),
                digits @ ('u' | 'U') => {
                    let count = if digits == 'u' { 4 } else { 8 };
                    let code: String = rest.by_ref().take(count).collect();
                    out.push(
                        u32::from_str_radix(&code, 16)
                            .ok()
                            .and_then(char::from_u32)?,
                    );
                }
                c => out.push(c),
            },
            c => out.push(c),
        }
    }
}

/// An address in the form that is used: with the scheme, without a slash at the end.
fn normal(text: &str) -> Result<String> {
    let text = text.trim();
    let wrong = |why: &str| {
        Error::new(
            Exit::Usage,
            format!("`{text}` is not an address of the daemon: {why}"),
        )
        .hint("an address looks like http://127.0.0.1:8787")
    };
    if text.starts_with("https://") {
        return Err(wrong("the daemon speaks plain HTTP").hint(
            "use an http:// address; from another machine reach it through a tunnel, for example `ssh -L 8787:127.0.0.1:8787 HOST`",
        ));
    }
    let host = match text.split_once("://") {
        Some(("http", host)) => host,
        Some(_) => return Err(wrong("only http:// is understood")),
        None => text,
    }
    .trim_end_matches('/');
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(wrong("it names no host"));
    }
    Ok(format!("http://{host}"))
}

/// A daemon that listens on all addresses is reached on the loopback one.
fn reachable(url: &str) -> String {
    for (all, one) in [
        ("http://0.0.0.0:", "http://127.0.0.1:"),
        ("http://[::]:", "http://[::1]:"),
    ] {
        if let Some(port) = url.strip_prefix(all) {
            return format!("{one}{port}");
        }
    }
    url.to_owned()
}

#[cfg(test)]
mod tests;
