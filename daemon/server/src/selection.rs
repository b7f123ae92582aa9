//! Which wells a person has chosen: names, rectangles, rows and columns, as text that fits into an address.

use std::collections::BTreeSet;

use plate::{PlateFormat, WellName};
use queue::{PlateId, PlateRow, WellSummary};

use crate::app::Inner;

/// More wells than any plate has. Beyond it a grid is no picture any more, and one odd file name could ask for
/// 700 000 cells.
const MOST: usize = 3456;

/// Chosen wells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// As it was written.
    pub text: String,
    /// The wells.
    pub wells: BTreeSet<WellName>,
    /// Names that are no wells of a grid, for example `centre`.
    pub others: BTreeSet<String>,
}

impl Selection {
    /// `A01` is a well, `A01:B03` a rectangle, `C` a row and `7` a column of the plate; separated by commas or blanks.
    pub(crate) fn parse(text: &str, format: Option<PlateFormat>) -> Self {
        let mut chosen = Self {
            text: text.trim().to_owned(),
            ..Self::default()
        };
        let words = text.split([',', ' ']).map(str::trim);
        for word in words.filter(|word| !word.is_empty()) {
            if let Some(corners) = word
                .split_once(':')
                .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)))
            {
                chosen.add_rectangle(corners);
            } else if let Ok(well) = word.parse::<WellName>() {
                chosen.wells.insert(well);
            } else if let Some((from, to)) = format.and_then(|format| line(word, format)) {
                chosen.add_rectangle((from, to));
            } else {
                chosen.others.insert(word.to_owned());
            }
        }
        chosen
    }

    /// What is chosen on a plate, if it exists.
    pub(crate) fn on(inner: &Inner, plate: PlateId, text: &str) -> queue::Result<Self> {
        let row = inner.store.plate(plate)?.plate;
        let format = format_of(&row, &inner.store.wells(plate)?);
        Ok(Self::parse(text, format))
    }

    /// The wells of a filter; `None` where no text chooses any.
    pub(crate) fn filter(&self) -> Option<Vec<String>> {
        (!self.text.is_empty()).then(|| self.names())
    }

    /// The wells of a filter by a text. Without a plate that exists, rows and columns are not known.
    pub(crate) fn names_on(
        inner: &Inner,
        plate: Option<PlateId>,
        text: Option<&str>,
    ) -> queue::Result<Option<Vec<String>>> {
        let Some(text) = text else { return Ok(None) };
        let chosen = match plate.map(|plate| Self::on(inner, plate, text)) {
            Some(Err(queue::Error::NotFound { .. })) | None => Self::parse(text, None),
            Some(chosen) => chosen?,
        };
        Ok(chosen.filter())
    }

    fn add_rectangle(&mut self, (one, other): (WellName, WellName)) {
        let rows = one.row().min(other.row())..=one.row().max(other.row());
        let columns = one.column().min(other.column())..=one.column().max(other.column());
        for row in rows {
            for column in columns.clone() {
                if self.wells.len() >= MOST {
                    return;
                }
                self.wells.extend(WellName::from_row_column(row, column));
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wells.is_empty() && self.others.is_empty()
    }

    pub(crate) fn has(&self, well: &str) -> bool {
        match well.parse::<WellName>() {
            Ok(name) => self.wells.contains(&name),
            Err(_) => self.others.contains(well),
        }
    }

    /// The names, those of the grid first.
    pub(crate) fn names(&self) -> Vec<String> {
        let wells = self.wells.iter().map(ToString::to_string);
        wells.chain(self.others.iter().cloned()).collect()
    }

    /// The names as a person reads them.
    pub(crate) fn title(&self) -> String {
        let names = self.names();
        match names.len() {
            0..=6 => names.join(", "),
            n => format!("{} and {} more", names[..5].join(", "), n - 5),
        }
    }
}

/// The format that the plate says or that its wells ask for.
pub(crate) fn format_of(plate: &PlateRow, wells: &[WellSummary]) -> Option<PlateFormat> {
    let named: Vec<WellName> = wells
        .iter()
        .filter_map(|well| well.well.parse().ok())
        .collect();
    let said = match (plate.rows, plate.columns) {
        (Some(rows), Some(columns)) => Some(PlateFormat {
            rows: u16::try_from(rows).ok()?,
            columns: u16::try_from(columns).ok()?,
        }),
        _ => None,
    };
    let holds = |format: &PlateFormat| named.iter().all(|well| format.contains(*well));
    said.filter(holds)
        .or_else(|| PlateFormat::guess(named.iter().copied()))
        .filter(|format| format.wells() <= MOST as u32)
}

/// First and last well of a row (`C`) or a column (`7`).
fn line(word: &str, format: PlateFormat) -> Option<(WellName, WellName)> {
    let at = |row, column| WellName::from_row_column(row, column).ok();
    let (rows, columns) = (format.rows, format.columns);
    if let Ok(column) = word.parse::<u16>() {
        let is_there = (1..=columns).contains(&column);
        return is_there.then_some((at(0, column)?, at(rows - 1, column)?));
    }
    let row = format!("{word}01").parse::<WellName>().ok()?.row();
    (row < rows).then_some((at(row, 1)?, at(row, columns)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Option<PlateFormat> = Some(PlateFormat {
        rows: 8,
        columns: 12,
    });

    fn names(text: &str) -> Vec<String> {
        Selection::parse(text, FORMAT).names()
    }

    #[test]
    fn wells_rectangles_rows_and_columns() {
        assert_eq!(names("a1, B02"), ["A01", "B02"]);
        assert_eq!(names("B02:A01"), ["A01", "A02", "B01", "B02"]);
        assert_eq!(names("C").len(), 12);
        assert_eq!(names("7").len(), 8);
        assert_eq!(names("12")[7], "H12");
        assert_eq!(names("centre A01"), ["A01", "centre"]);
        for odd in ["13", "0", "I", ":"] {
            assert!(Selection::parse(odd, FORMAT).wells.is_empty(), "{odd}");
        }
        assert!(Selection::parse(" ,", None).is_empty());
    }

    #[test]
    fn a_huge_rectangle_is_cut() {
        assert!(names("A01:ZZ999").len() <= MOST);
    }

    #[test]
    fn long_selections_have_short_titles() {
        assert_eq!(Selection::parse("A01,A02", FORMAT).title(), "A01, A02");
        assert_eq!(
            Selection::parse("A", FORMAT).title(),
            "A01, A02, A03, A04, A05 and 7 more"
        );
    }
}
