//! Well names: one canonical form, whatever the instrument writes.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::{Error, Result};

/// Rows that two letters can name: `A` to `ZZ`.
const ROWS: u32 = 26 + 26 * 26;
const COLUMNS: u32 = 999;

/// A well of a plate. `A1`, `A01`, `a01` and `A001` are the same well.
///
/// Displayed, ordered and serialised canonically: upper case row letters (after `Z` comes `AA`) and the column with at
/// least two digits. Ordered by row, then by column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WellName {
    // The order of the fields is the row-major order of the derived `Ord`.
    row: u16,
    column: u16,
}

impl WellName {
    /// The well at `row` (0 based) and `column` (1 based).
    ///
    /// # Errors
    /// [`Error::WellOutOfRange`] when the row is beyond `ZZ` or the column is not in 1 to 999.
    pub fn from_row_column(row: u16, column: u16) -> Result<Self> {
        if u32::from(row) < ROWS && (1..=COLUMNS).contains(&u32::from(column)) {
            Ok(Self { row, column })
        } else {
            Err(Error::WellOutOfRange {
                row: u32::from(row) + 1,
                column: u32::from(column),
            })
        }
    }

    /// The well that a 1 based, row by row number means on a plate with `columns` columns.
    ///
    /// # Errors
    /// [`Error::BadWell`] for number 0, for 0 columns and for numbers beyond row `ZZ`.
    pub fn from_number(number: u32, columns: u16) -> Result<Self> {
        let out_of_range = || Error::BadWell {
            text: format!("well number {number}"),
            why: "numbers start at 1 and end at the last well of the plate",
        };
        let index = number.checked_sub(1).ok_or_else(out_of_range)?;
        let row = index
            .checked_div(u32::from(columns))
            .ok_or_else(out_of_range)?;
        let column = index % u32::from(columns) + 1;
        match (u16::try_from(row), u16::try_from(column)) {
            (Ok(row), Ok(column)) => Self::from_row_column(row, column).map_err(|_| out_of_range()),
            _ => Err(out_of_range()),
        }
    }

    /// The row, 0 based.
    #[must_use]
    pub fn row(self) -> u16 {
        self.row
    }

    /// The column, 1 based, as it is printed on the plate.
    #[must_use]
    pub fn column(self) -> u16 {
        self.column
    }

    /// The row as letters: `A`, `B`, ... `Z`, `AA`, ...
    #[must_use]
    pub fn row_letters(self) -> String {
        row_letters(self.row)
    }
}

/// `0` is `A`, `25` is `Z`, `26` is `AA`.
pub(crate) fn row_letters(row: u16) -> String {
    let letter = |index: u16| char::from(b'A' + (index % 26) as u8);
    if row < 26 {
        letter(row).to_string()
    } else {
        [letter(row / 26 - 1), letter(row)].iter().collect()
    }
}

/// The 0 based row of one or two letters in either case.
pub(crate) fn row_of_letters(letters: &str) -> Option<u16> {
    let digits: Vec<u16> = letters
        .bytes()
        .map(|b| {
            b.is_ascii_alphabetic()
                .then(|| u16::from(b.to_ascii_uppercase() - b'A'))
        })
        .collect::<Option<_>>()?;
    match digits[..] {
        [one] => Some(one),
        [high, low] => Some((high + 1) * 26 + low),
        _ => None,
    }
}

impl FromStr for WellName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = |why| Error::BadWell {
            text: text.to_owned(),
            why,
        };
        let split = text.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (letters, digits) = text.split_at(split);
        let row = row_of_letters(letters)
            .ok_or_else(|| bad("it must start with one or two row letters"))?;
        if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad(
                "the row letters must be followed by a column number and nothing else",
            ));
        }
        let column: u16 = digits.parse().map_err(|_| bad("the column is no number"))?;
        Self::from_row_column(row, column).map_err(|_| bad("the column must be 1 to 999"))
    }
}

impl fmt::Display for WellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}{:02}", self.row_letters(), self.column))
    }
}

impl fmt::Debug for WellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for WellName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WellName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = WellName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a well name like A01")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<WellName, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_spellings_are_one_well() {
        for text in ["A1", "A01", "a01", "a1", "A001"] {
            assert_eq!(
                text.parse::<WellName>().unwrap().to_string(),
                "A01",
                "{text}"
            );
        }
        assert_eq!(
            "AA12".parse::<WellName>().unwrap(),
            WellName::from_row_column(26, 12).unwrap()
        );
        assert_eq!("af48".parse::<WellName>().unwrap().to_string(), "AF48");
        assert_eq!("P24".parse::<WellName>().unwrap().row(), 15);
        assert_eq!(
            WellName::from_row_column(701, 999).unwrap().to_string(),
            "ZZ999"
        );
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for text in [
            "", "A", "1", "A0", "A00", "1A", "AAA1", "A1 ", " A1", "A-1", "A+1", "A1000", "Ä1",
            "A١", "A12345",
        ] {
            let error = text.parse::<WellName>().unwrap_err().to_string();
            assert!(error.contains("is not a well name"), "{error}");
        }
        assert!(WellName::from_row_column(702, 1).is_err());
        assert!(WellName::from_row_column(0, 0).is_err());
    }

    #[test]
    fn numbers_count_row_by_row() {
        assert_eq!(WellName::from_number(26, 24).unwrap().to_string(), "B02");
        assert_eq!(WellName::from_number(14, 12).unwrap().to_string(), "B02");
        assert_eq!(WellName::from_number(96, 12).unwrap().to_string(), "H12");
        for (number, columns) in [(0, 12), (1, 0), (u32::MAX, 1), (u32::MAX, u16::MAX)] {
            assert!(
                WellName::from_number(number, columns).is_err(),
                "{number} {columns}"
            );
        }
    }

    #[test]
    fn order_is_row_major() {
        let mut wells: Vec<WellName> = ["B01", "AA01", "A10", "A02", "Z09"]
            .iter()
            .map(|w| w.parse().unwrap())
            .collect();
        wells.sort();
        let text: Vec<String> = wells.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["A02", "A10", "B01", "Z09", "AA01"]);
    }

    proptest! {
        #[test]
        fn round_trips(row in 0u16..702, column in 1u16..=999, lower: bool) {
            let well = WellName::from_row_column(row, column).unwrap();
            let mut text = well.to_string();
            if lower { text = text.to_lowercase(); }
            prop_assert_eq!(text.parse::<WellName>().unwrap(), well);
            let json = serde_json::to_string(&well).unwrap();
            prop_assert_eq!(serde_json::from_str::<WellName>(&json).unwrap(), well);
            prop_assert_eq!(row_of_letters(&well.row_letters()), Some(row));
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            if let Ok(well) = text.parse::<WellName>() {
                prop_assert_eq!(well.to_string().parse::<WellName>().unwrap(), well);
            }
        }
    }
}
