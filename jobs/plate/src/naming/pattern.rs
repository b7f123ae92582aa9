//! A compiled pattern, and how its named groups become fields.

use std::path::Path;

use regex::{Captures, Regex, RegexBuilder};

use super::PresetInfo;
use crate::well::{row_letters, row_of_letters};
use crate::{Error, PlateFormat, Result, WellName};

/// Groups that a user's pattern can have.
const USER_GROUPS: [&str; 10] = [
    "plate", "well", "row", "col", "column", "site", "channel", "channels", "z", "t",
];

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    whole_path: bool,
}

/// What the groups of one name say.
pub(super) struct Fields {
    pub plate: Option<String>,
    pub well: WellName,
    pub site: u32,
    pub channels: Vec<String>,
    pub z: Option<u32>,
    pub t: Option<u32>,
}

impl Pattern {
    pub(super) fn of_preset(preset: &PresetInfo) -> Result<Self> {
        Ok(Self {
            regex: compile(preset.pattern)?,
            whole_path: false,
        })
    }

    pub(super) fn of_user(pattern: &str) -> Result<Self> {
        let bad = |why: String| Error::BadPattern {
            pattern: pattern.to_owned(),
            why,
        };
        let regex = compile(pattern)?;
        let groups: Vec<&str> = regex.capture_names().flatten().collect();
        for group in &groups {
            if !USER_GROUPS.contains(group) {
                let near = nearest(group, USER_GROUPS)
                    .map(|near| format!(" (did you mean `{near}`?)"))
                    .unwrap_or_default();
                return Err(bad(format!(
                    "it has the unknown group `{group}`{near}; groups are {}",
                    USER_GROUPS.join(", ")
                )));
            }
        }
        let has = |name| groups.contains(&name);
        if !has("well") && !(has("row") && (has("col") || has("column"))) {
            return Err(bad("it has no group `well`, nor `row` and `col`".into()));
        }
        if has("channel") && has("channels") {
            return Err(bad(
                "it has both `channel` (one file each) and `channels` (pages of a file)".into(),
            ));
        }
        Ok(Self {
            regex,
            whole_path: pattern.contains('/'),
        })
    }

    /// Reads the fields of one file, or says why it can not.
    pub(super) fn read(
        &self,
        relative: &Path,
        name: &str,
        preset: Option<&PresetInfo>,
        columns: u16,
    ) -> Result<Fields, String> {
        let path;
        let text = if self.whole_path {
            path = relative.to_string_lossy();
            &*path
        } else {
            name
        };
        let captures = self.regex.captures(text).ok_or_else(|| match preset {
            Some(preset) => format!("the name is not like {}", preset.example),
            None => "the name does not match the pattern".to_owned(),
        })?;
        let group = |name| {
            captures
                .name(name)
                .map(|m| m.as_str())
                .filter(|text| !text.is_empty())
        };
        let (well, plate) = well(&captures, columns)?;
        Ok(Fields {
            plate: group("plate").or(plate).map(str::to_owned),
            well,
            site: number(&captures, "site")?.unwrap_or(1),
            channels: channels(group("channel"), group("channels"), preset)?,
            z: number(&captures, "z")?,
            t: number(&captures, "t")?,
        })
    }
}

fn compile(pattern: &str) -> Result<Regex> {
    // Ten times less than the default: a pattern is compiled per root, and names are short.
    RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        // A line end in a name is a character like any other.
        .dot_matches_new_line(true)
        .build()
        .map_err(|error| Error::BadPattern {
            pattern: pattern.to_owned(),
            why: error
                .to_string()
                .lines()
                .last()
                .unwrap_or("it is no regex")
                .trim_start_matches("error: ")
                .to_owned(),
        })
}

/// The candidate that is most like `word`, if any is.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(&word.to_lowercase(), candidate);
    let best = candidates
        .into_iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.75).then_some(best)
}

fn number(captures: &Captures<'_>, group: &str) -> Result<Option<u32>, String> {
    let Some(text) = captures
        .name(group)
        .map(|m| m.as_str())
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| format!("{group} `{text}` is not a number below 4294967296"))
}

/// The well, and the plate's name where it stands in the well's place (ScanR).
fn well<'c>(
    captures: &'c Captures<'_>,
    columns: u16,
) -> Result<(WellName, Option<&'c str>), String> {
    let group = |name| {
        captures
            .name(name)
            .map(|m| m.as_str())
            .filter(|text| !text.is_empty())
    };
    if let Some(text) = group("well") {
        let well: WellName = text.parse().map_err(|error: Error| error.to_string())?;
        // BatchLib's names carry the well twice; two different ones are a renamed or mixed-up file.
        return match group("wellagain").map(str::parse::<WellName>) {
            Some(Ok(again)) if again != well => {
                Err(format!("the name says both well {again} and well {well}"))
            }
            _ => Ok((well, None)),
        };
    }
    if let Some(text) = group("wellnumber") {
        let number: u32 = text
            .parse()
            .map_err(|_| format!("well number `{text}` is too large"))?;
        let label = group("label");
        if let Some(well) = label
            .and_then(|label| label.parse().ok())
            .filter(|well| agrees(*well, number))
        {
            return Ok((well, None));
        }
        return Ok((
            WellName::from_number(number, columns).map_err(|error| error.to_string())?,
            label,
        ));
    }
    let (Some(row), Some(column)) = (group("row"), group("col").or_else(|| group("column"))) else {
        return Err("the name carries no well".to_owned());
    };
    let row_letters = match row.parse::<u16>() {
        Ok(number) => {
            row_letters_of_number(number).ok_or_else(|| format!("row {row} is not on any plate"))?
        }
        Err(_) => row.to_owned(),
    };
    let well = format!("{row_letters}{column}")
        .parse()
        .map_err(|error: Error| error.to_string())?;
    Ok((well, None))
}

fn row_letters_of_number(number: u16) -> Option<String> {
    let letters = row_letters(number.checked_sub(1).filter(|row| *row < 702)?);
    debug_assert!(row_of_letters(&letters).is_some());
    Some(letters)
}

/// Whether a label like `B2` is the well with this number on some plate: a plate called `P1` is not taken for a well.
fn agrees(well: WellName, number: u32) -> bool {
    PlateFormat::STANDARD.into_iter().any(|plate| {
        let on_plate = u32::from(well.row()) * u32::from(plate.columns) + u32::from(well.column());
        plate.contains(well) && on_plate == number
    })
}

fn channels(
    one: Option<&str>,
    several: Option<&str>,
    preset: Option<&PresetInfo>,
) -> Result<Vec<String>, String> {
    let Some(list) = several else {
        let default = preset
            .and_then(|preset| preset.default_channel)
            .unwrap_or("image");
        return Ok(vec![one.unwrap_or(default).to_owned()]);
    };
    let names: Vec<String> = list.split(',').map(str::to_owned).collect();
    for (page, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(format!("the channel list `{list}` has an empty name"));
        }
        if names[..page].contains(name) {
            return Err(format!("the channel list `{list}` has {name} twice"));
        }
    }
    Ok(names)
}
