//! What a file name says: plate, well, site, channels, z-slice and timepoint.
//!
//! A [`NamingScheme`] is a preset of a vendor or a regex of the user. It looks at names only, so it gives the same answer
//! for a file that is half written, and it never panics: a name that it can not read is a [`Verdict`], not an error.

mod acquisition;
mod junk;
mod pattern;
mod presets;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, WellName};
use pattern::Pattern;

pub use junk::{NOT_AN_IMAGE, is_image_name, junk_rule};
pub use presets::{PresetInfo, presets};

/// Columns that a plate is taken to have where the instrument numbers its wells.
const DEFAULT_COLUMNS: u16 = 12;

/// What a scheme says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An image of a well.
    Image(ParsedName),
    /// A file that is none of our business, with the rule that says so.
    Ignored(&'static str),
    /// An image whose name the scheme can not read, with the reason.
    Unmatched(String),
}

/// The fields of an image's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ParsedName {
    /// The plate, where the name carries it. See [`ParsedName::plate_name`].
    pub plate: Option<String>,
    /// The folder of the acquisition, relative to the watched root: the image's folder without the sub-folders that
    /// instruments make for z-slices, timepoints and pixels (`ZStep_1`, `TimePoint_1`, `Images`).
    #[serde(with = "crate::portable")]
    pub acquisition: PathBuf,
    /// The well.
    pub well: WellName,
    /// The site (field of view) as it is numbered by the instrument: some count from 0, some from 1.
    pub site: u32,
    /// One channel: the file is that channel. Several: the pages of the file, in page order.
    pub channels: Vec<String>,
    /// The z-slice as the instrument numbers it; `None` where there is none (one plane, or a projection).
    pub z: Option<u32>,
    /// The timepoint as the instrument numbers it; `None` where there is none.
    pub t: Option<u32>,
}

/// One plane of an acquisition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaneKey<'a> {
    /// The well.
    pub well: WellName,
    /// The site.
    pub site: u32,
    /// The channel.
    pub channel: &'a str,
    /// The z-slice.
    pub z: Option<u32>,
    /// The timepoint.
    pub t: Option<u32>,
}

impl ParsedName {
    /// The plate's name: from the file name, or else the name of the acquisition's folder (as BatchLib names plates).
    ///
    /// `None` for images that lie in the root itself and carry no plate name. Bytes that are not UTF-8 are shown as `�`.
    #[must_use]
    pub fn plate_name(&self) -> Option<String> {
        self.plate.clone().or_else(|| {
            self.acquisition
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
    }

    /// The planes that the file holds, one for each channel.
    pub fn planes(&self) -> impl Iterator<Item = PlaneKey<'_>> {
        let Self {
            well, site, z, t, ..
        } = *self;
        self.channels.iter().map(move |channel| PlaneKey {
            well,
            site,
            channel,
            z,
            t,
        })
    }
}

/// How the files under a root are named.
#[derive(Debug, Clone)]
pub struct NamingScheme {
    text: String,
    preset: Option<&'static PresetInfo>,
    columns: u16,
    pattern: Pattern,
}

impl NamingScheme {
    /// A scheme by the name of its preset, in either case.
    ///
    /// Presets of instruments that number their wells take the number of columns after a colon: `scanr:24`. Without it
    /// 12 columns are assumed.
    ///
    /// # Errors
    /// [`Error::UnknownPreset`], with the nearest name, and [`Error::BadPattern`] for a number of columns that is none.
    pub fn preset(name: &str) -> Result<Self> {
        let (base, columns) = name
            .split_once(':')
            .map_or((name, None), |(base, columns)| (base, Some(columns)));
        let preset = presets::find(base)?;
        let bad = |why: &str| Error::BadPattern {
            pattern: name.to_owned(),
            why: why.to_owned(),
        };
        let columns = match columns {
            None => DEFAULT_COLUMNS,
            Some(_) if !preset.numbers_wells() => {
                return Err(bad(
                    "this preset reads well names and takes no number of columns",
                ));
            }
            Some(text) => match text.parse() {
                Ok(columns @ 1..=999) => columns,
                _ => {
                    return Err(bad(
                        "the number of plate columns after `:` must be 1 to 999",
                    ));
                }
            },
        };
        let pattern = Pattern::of_preset(preset)?;
        Ok(Self {
            text: name.to_owned(),
            preset: Some(preset),
            columns,
            pattern,
        })
    }

    /// A scheme from a regex with named groups.
    ///
    /// | group | meaning |
    /// |---|---|
    /// | `well`, or `row` and `col` (or `column`) | the well: letters and a number; a row may also be a number from 1 |
    /// | `plate` | the plate's name |
    /// | `site`, `z`, `t` | numbers; without `site` every image is site 1 |
    /// | `channel` | the channel of the file; without it the channel is called `image` |
    /// | `channels` | the channels of a multi-page file, separated by commas, in page order |
    ///
    /// A pattern with a `/` is searched in the path relative to the root, any other one in the file's name. It need not
    /// match all of it, unless it says `^` and `$`.
    ///
    /// # Errors
    /// [`Error::BadPattern`] when it is no regex, has no well, or has a group with an unknown name.
    pub fn regex(pattern: &str) -> Result<Self> {
        let compiled = Pattern::of_user(pattern)?;
        Ok(Self {
            text: pattern.to_owned(),
            preset: None,
            columns: DEFAULT_COLUMNS,
            pattern: compiled,
        })
    }

    /// A scheme as people write it in a configuration: the name of a preset, or else a regex.
    ///
    /// # Errors
    /// [`Error::UnknownPreset`] for a word that is neither (with the nearest preset), else as [`NamingScheme::regex`].
    pub fn from_config(text: &str) -> Result<Self> {
        match Self::preset(text) {
            Err(Error::UnknownPreset { .. })
                if text.contains([
                    '(', ')', '[', ']', '\\', '^', '$', '*', '+', '?', '|', '{', '}',
                ]) =>
            {
                Self::regex(text)
            }
            other => other,
        }
    }

    /// The text that the scheme was made from: what [`NamingScheme::from_config`] takes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The preset, where the scheme is one.
    #[must_use]
    pub fn preset_info(&self) -> Option<&'static PresetInfo> {
        self.preset
    }

    /// What the file at `relative` (its path under the watched root) is.
    ///
    /// A name that is not UTF-8 is read with `�` in place of the bytes that can not be read; the path itself is kept as
    /// it is. The file is not opened.
    #[must_use]
    pub fn parse(&self, relative: &Path) -> Verdict {
        if let Some(rule) = junk_rule(relative) {
            return Verdict::Ignored(rule);
        }
        if !is_image_name(relative) {
            return Verdict::Ignored(NOT_AN_IMAGE);
        }
        let name = relative.file_name().unwrap_or_default().to_string_lossy();
        if let Some(rule) = self.preset.and_then(|preset| preset.ignore_rule(&name)) {
            return Verdict::Ignored(rule);
        }
        let subfolder = self.preset.and_then(|preset| preset.subfolder);
        let place = acquisition::of(relative, subfolder);
        match self
            .pattern
            .read(relative, &name, self.preset, self.columns)
        {
            Ok(fields) => Verdict::Image(ParsedName {
                plate: fields.plate,
                acquisition: place.folder,
                well: fields.well,
                site: fields.site,
                channels: fields.channels,
                z: fields.z.or(place.z),
                t: fields.t.or(place.t),
            }),
            Err(why) => Verdict::Unmatched(why),
        }
    }
}

impl fmt::Display for NamingScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
