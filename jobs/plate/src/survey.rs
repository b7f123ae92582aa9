//! What a naming scheme makes of a folder, before anything is processed: the report of `wellspring names test`.

mod guess;
mod map;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{NamingScheme, ParsedName, PlateFormat, Result, Verdict, WellName};

pub use guess::{Guess, guess};

/// An image that the scheme can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedFile {
    /// The path, relative to the surveyed folder.
    #[serde(with = "crate::portable")]
    pub path: PathBuf,
    /// What the name says.
    pub name: ParsedName,
}

/// A file, and what is the matter with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The path, relative to the surveyed folder.
    #[serde(with = "crate::portable")]
    pub path: PathBuf,
    /// The reason.
    pub why: String,
}

/// Several files that claim to be the same plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// The plate.
    pub plate: Option<String>,
    /// The acquisition: the same plate imaged twice into two folders is no duplicate.
    #[serde(with = "crate::portable")]
    pub acquisition: PathBuf,
    /// The well.
    pub well: WellName,
    /// The site.
    pub site: u32,
    /// The channel.
    pub channel: String,
    /// The z-slice.
    pub z: Option<u32>,
    /// The timepoint.
    pub t: Option<u32>,
    /// The files, sorted.
    #[serde(with = "crate::portable::list")]
    pub paths: Vec<PathBuf>,
}

/// What a scheme makes of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamesReport {
    /// The scheme, as it is written in a configuration.
    pub scheme: String,
    /// The surveyed folder.
    #[serde(with = "crate::portable")]
    pub folder: PathBuf,
    /// Images that the scheme can read, in the order of their paths.
    pub parsed: Vec<ParsedFile>,
    /// Images that it can not read.
    pub unmatched: Vec<Remark>,
    /// Ignored files, counted by rule.
    pub ignored: BTreeMap<String, u64>,
    /// Files that claim to be the same plane.
    pub duplicates: Vec<Duplicate>,
    /// All channels, sorted.
    pub channels: Vec<String>,
    /// All sites, sorted.
    pub sites: Vec<u32>,
    /// All wells, row by row.
    pub wells: Vec<WellName>,
    /// The smallest standard plate that has all the wells.
    pub format: Option<PlateFormat>,
    /// Folders that could not be listed.
    pub unreadable: Vec<Remark>,
    /// Set when the folder has more files, or is deeper, than a survey looks at.
    pub truncated: bool,
}

impl NamesReport {
    /// The plates drawn as text: one row of text per row of wells, with the number of sites or `·`.
    ///
    /// Each acquisition has its own drawing, under a line with its name, wells and images. Empty without images.
    #[must_use]
    pub fn plate_map(&self) -> String {
        map::draw(&self.parsed)
    }

    /// Whether every image was read and no two are the same.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.unmatched.is_empty()
            && self.duplicates.is_empty()
            && self.unreadable.is_empty()
            && !self.truncated
    }
}

/// Reads the names of all files under `dir`, in the order of their paths.
///
/// Opens no file. Symbolic links to files within `dir` count as files; links to folders, and links that lead out of
/// `dir`, are ignored by a rule. Stops (with `truncated` set) at 32 levels of folders and at 2 million files.
///
/// # Errors
/// [`crate::Error::Io`] when `dir` itself can not be listed. Sub-folders that can not are in `unreadable`.
pub fn survey(dir: &Path, scheme: &NamingScheme) -> Result<NamesReport> {
    let walk = walk::files(dir, walk::FILES)?;
    let mut report = NamesReport {
        scheme: scheme.text().to_owned(),
        folder: dir.to_path_buf(),
        parsed: Vec::new(),
        unmatched: Vec::new(),
        ignored: BTreeMap::new(),
        duplicates: Vec::new(),
        channels: Vec::new(),
        sites: Vec::new(),
        wells: Vec::new(),
        format: None,
        unreadable: walk.unreadable,
        truncated: walk.truncated,
    };
    for rule in walk.ignored {
        *report.ignored.entry(rule.to_owned()).or_default() += 1;
    }
    for path in walk.files {
        match scheme.parse(&path) {
            Verdict::Image(name) => report.parsed.push(ParsedFile { path, name }),
            Verdict::Ignored(rule) => *report.ignored.entry(rule.to_owned()).or_default() += 1,
            Verdict::Unmatched(why) => report.unmatched.push(Remark { path, why }),
        }
    }
    let names = || report.parsed.iter().map(|file| &file.name);
    report.channels = names()
        .flat_map(|n| &n.channels)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .cloned()
        .collect();
    report.sites = names()
        .map(|n| n.site)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    report.wells = names()
        .map(|n| n.well)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    report.format = PlateFormat::guess(report.wells.iter().copied());
    report.duplicates = duplicates(&report.parsed);
    Ok(report)
}

fn duplicates(parsed: &[ParsedFile]) -> Vec<Duplicate> {
    let mut by_key: BTreeMap<_, Vec<&Path>> = BTreeMap::new();
    for file in parsed {
        for plane in file.name.planes() {
            by_key
                .entry((&file.name.acquisition, &file.name.plate, plane))
                .or_default()
                .push(&file.path);
        }
    }
    by_key
        .into_iter()
        .filter(|(_, paths)| paths.len() > 1)
        .map(|((acquisition, plate, plane), paths)| Duplicate {
            plate: plate.clone(),
            acquisition: acquisition.clone(),
            well: plane.well,
            site: plane.site,
            channel: plane.channel.to_owned(),
            z: plane.z,
            t: plane.t,
            paths: paths.into_iter().map(Path::to_path_buf).collect(),
        })
        .collect()
}
