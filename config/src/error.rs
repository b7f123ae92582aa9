//! The crate's error.

use std::fmt;
use std::path::PathBuf;

use crate::problem::Problem;

/// Why a configuration could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is wrong; every mistake that was found.
    #[error("{}", Listed(.0))]
    Invalid(Vec<Problem>),
}

/// What kind of failure it is, for the caller's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The surroundings are wrong (a file is missing or may not be read); trying again may help.
    Environment,
    /// The text is wrong; trying again does not help.
    Permanent,
}

impl ConfigError {
    /// What kind of failure it is.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Read { .. } => ErrorClass::Environment,
            Self::Invalid(_) => ErrorClass::Permanent,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::Read { source, .. } => Some(match source.kind() {
                std::io::ErrorKind::NotFound => {
                    "create the file, or give the right path; `wellspring config init` prints a commented default"
                }
                std::io::ErrorKind::PermissionDenied => "let the user that runs Wellspring read it",
                _ => "check the path, and that it is a regular file with UTF-8 text",
            }),
            Self::Invalid(problems) => problems.first().and_then(|p| p.remedy.as_deref()),
        }
    }

    /// The mistakes found; empty where a file could not be read at all.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Read { .. } => &[],
            Self::Invalid(problems) => problems,
        }
    }
}

struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}
