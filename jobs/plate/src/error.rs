//! The one error type of the crate.

use std::path::PathBuf;

/// What this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller may do about an error: the retry policy follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The same call can succeed later without anybody doing anything (a manifest that is still being written).
    Transient,
    /// The machine is at fault (no permission, share gone): wait, then try again.
    Environment,
    /// The same call gives the same error until a person changes something.
    Permanent,
}

/// Everything that can go wrong with names, manifests and rules.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is no well name.
    #[error("`{text}` is not a well name: {why}")]
    BadWell {
        /// The text as it was given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A row or column lies outside of every plate.
    #[error("row {row}, column {column} is not on any plate (rows 1 to 702, columns 1 to 999)")]
    WellOutOfRange {
        /// Row, 1 based.
        row: u32,
        /// Column, 1 based.
        column: u32,
    },
    /// No preset has this name.
    #[error("no naming preset is called `{name}`{}; the presets are {known}", suggest(.suggestion.as_deref()))]
    UnknownPreset {
        /// The name as it was given.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
        /// All names, separated by commas.
        known: String,
    },
    /// A naming pattern can not be used.
    #[error("the naming pattern `{pattern}` can not be used: {why}")]
    BadPattern {
        /// The pattern as it was given.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file system refused something.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// `read`, `list`, ...
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is larger than such a file can be.
    #[error("{} has {bytes} bytes; more than {limit} are not read", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// A file that is no manifest of a known vendor.
    #[error("{} is not a manifest of a known instrument", .path.display())]
    NotAManifest {
        /// The file.
        path: PathBuf,
    },
    /// A manifest that can not be understood.
    #[error("the manifest {} can not be understood: {why}", .path.display())]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// More than one manifest claims the same folder.
    #[error("{} holds several manifests ({names})", .dir.display())]
    SeveralManifests {
        /// The folder.
        dir: PathBuf,
        /// Their names, separated by commas.
        names: String,
    },
    /// A completeness rule can not be read.
    #[error("`{text}` is not a completeness rule: {why}")]
    BadRule {
        /// The rule as it was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// `channel_mapping.json` is missing.
    #[error("there is no {}", .path.display())]
    MappingMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// `channel_mapping.json` is not what it should be.
    #[error("{} is not a channel mapping: {why}", .path.display())]
    BadMapping {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A role of `channel_mapping.json` starts with none of the known words.
    #[error("{}: channel `{channel}` has the role `{role}`, which starts with none of nuclei, serum, marker, cells", .path.display())]
    UnknownRole {
        /// The file.
        path: PathBuf,
        /// The microscope channel.
        channel: String,
        /// Its role.
        role: String,
    },
    /// An image has a channel that the mapping does not know.
    #[error("the channel `{channel}` is not in the channel mapping (it has {known})")]
    ChannelNotMapped {
        /// The microscope channel.
        channel: String,
        /// The channels of the mapping, separated by commas.
        known: String,
    },
    /// The images of one plate do not have the same channels.
    #[error("{} has the channels {found}, but {} has {first}", .found_in.display(), .first_in.display())]
    InconsistentChannels {
        /// The first image.
        first_in: PathBuf,
        /// Its channels, separated by commas.
        first: String,
        /// The image that differs.
        found_in: PathBuf,
        /// Its channels, separated by commas.
        found: String,
    },
}

fn suggest(name: Option<&str>) -> String {
    name.map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}

impl Error {
    /// What a caller may do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorClass::Transient
            }
            Self::Io { source, .. } if crate::foreign::is_irregular(source) => {
                ErrorClass::Permanent
            }
            Self::Io { .. } => ErrorClass::Environment,
            // Vendors write manifests while the plate is acquired: half a file today is a whole one in a minute.
            Self::BadManifest { .. } | Self::MappingMissing { .. } => ErrorClass::Transient,
            _ => ErrorClass::Permanent,
        }
    }

    /// What a person can do about it, in one sentence.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::BadWell { .. } => {
                "write wells as a row letter and a column number, like A01 or AA12"
            }
            Self::WellOutOfRange { .. } => {
                "check the row and column, and the number of columns that the naming scheme assumes"
            }
            Self::UnknownPreset { .. } => {
                "use one of the presets, or a regex with the groups plate, well (or row and col), site, channel, z, t"
            }
            Self::BadPattern { .. } => {
                "correct the regex, then try it with `wellspring names test FOLDER`"
            }
            Self::Io { source, .. } if crate::foreign::is_irregular(source) => {
                "put the file itself there; links, pipes and devices are not read"
            }
            Self::Io { .. } => {
                "check that the folder is mounted and that the service's user may read it"
            }
            Self::TooLarge { .. } => {
                "it is not what its name says, or needs another completeness rule, for example \"expected\" or \"quiet:900\""
            }
            Self::NotAManifest { .. } => {
                "give a .HTD, MeasurementData.mlf, Index.idx.xml, experiment_descriptor.xml or .xdce file"
            }
            Self::BadManifest { .. } => {
                "if the instrument is still writing it, nothing need be done: it is read again; else export it again or use \"quiet:900\""
            }
            Self::SeveralManifests { .. } => {
                "keep one acquisition in a folder, or use the rules \"expected\" or \"quiet:900\" for this root"
            }
            Self::BadRule { .. } => {
                "use manifest, expected, sentinel:GLOB, quiet:SECONDS or manual"
            }
            Self::MappingMissing { .. } => {
                "put a channel_mapping.json into the plate folder, or a [channels] table into the workflow"
            }
            Self::BadMapping { .. } => {
                "write one JSON object from microscope channel to role or null, like {\"DAPI\": \"nuclei\", \"DIA\": null}"
            }
            Self::UnknownRole { .. } => {
                "let the role start with nuclei, serum, marker or cells, or use null to drop the channel"
            }
            Self::ChannelNotMapped { .. } => "add the channel to the mapping, with null to drop it",
            Self::InconsistentChannels { .. } => {
                "put the images of different acquisitions into different folders"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_names_the_thing_and_has_a_remedy() {
        let error = Error::BadManifest {
            path: PathBuf::from("a/b.HTD"),
            why: "no XWells".into(),
        };
        assert!(error.to_string().contains("a/b.HTD"));
        assert!(error.remedy().contains("read again"));
        assert_eq!(error.class(), ErrorClass::Transient);
        let error = Error::UnknownPreset {
            name: "bachlib".into(),
            suggestion: Some("batchlib".into()),
            known: "batchlib".into(),
        };
        assert!(
            error.to_string().contains("did you mean `batchlib`?"),
            "{error}"
        );
        assert_eq!(error.class(), ErrorClass::Permanent);
    }
}
