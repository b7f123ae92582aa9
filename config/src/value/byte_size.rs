//! Sizes with a unit.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Binary units first: [`ByteSize`] is printed in the first unit of this list that divides it.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// Digits after the point that are read; more would be rounding, not information.
const DECIMALS: usize = 6;

/// A number of bytes, written with its unit: `"512 MiB"`, `"1.5 GB"`, `"0 B"`.
///
/// A bare number is refused, because `memory_limit = 8` has meant bytes, megabytes and gigabytes in other programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// A size of so many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// A size of so many mebibytes.
    #[must_use]
    pub const fn mib(mebibytes: u64) -> Self {
        Self(mebibytes << 20)
    }

    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a size; write a number and a unit, such as `512 MiB` or `1.5 GB`"
            )
        };
        let trimmed = text.trim();
        let end = trimmed
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(trimmed.len());
        let (number, unit) = (&trimmed[..end], trimmed[end..].trim_start());
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.len() > DECIMALS || number.ends_with('.') {
            return Err(wrong());
        }
        let (_, factor) = *UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(|| match unit {
            "" => format!("`{text}` has no unit; write `{number} MiB` or `{number} GiB`"),
            _ => format!("`{unit}` is not a unit of size; use one of B, KB, MB, GB, TB, KiB, MiB, GiB, TiB"),
        })?;
        let digits: u128 = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
        let scaled = digits.checked_mul(u128::from(factor)).ok_or_else(wrong)?
            / 10_u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
        u64::try_from(scaled)
            .map(Self)
            .map_err(|_| format!("`{text}` is larger than any disk"))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, factor) = UNITS
            .iter()
            .find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor))
            .unwrap_or(&("B", 1));
        write!(f, "{} {name}", self.0 / factor)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Size;
        impl serde::de::Visitor<'_> for Size {
            type Value = ByteSize;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size with a unit such as \"512 MiB\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Size)
    }
}

impl JsonSchema for ByteSize {
    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "size", "pattern": "^\\s*[0-9]+(\\.[0-9]{1,6})?\\s*([KkMmGgTt][Ii]?)?[Bb]\\s*$" })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn units_are_what_they_say() {
        for (text, bytes) in [
            ("1 GiB", 1 << 30),
            ("1GB", 1_000_000_000),
            ("1.5 KiB", 1536),
            ("0 B", 0),
            (" 512 mib ", 512 << 20),
            ("0.001 KB", 1),
            ("16777215 TiB", 16_777_215 << 40),
        ] {
            assert_eq!(text.parse::<ByteSize>().unwrap().bytes(), bytes, "{text}");
        }
    }

    #[test]
    fn what_it_prints_it_reads() {
        for bytes in [
            0,
            1,
            999,
            1000,
            1024,
            1536,
            1_000_000,
            3 << 20,
            1 << 40,
            u64::MAX,
            (1 << 30) + 1,
        ] {
            let size = ByteSize::new(bytes);
            assert_eq!(
                size.to_string().parse::<ByteSize>().unwrap(),
                size,
                "{size}"
            );
        }
    }

    #[test]
    fn a_doubtful_size_is_refused_with_advice() {
        for (text, said) in [
            ("8", "no unit"),
            ("8 G", "not a unit"),
            ("lots", "not a size"),
            ("", "not a size"),
            ("1. GiB", "not a size"),
            ("1.2.3 GiB", "not a size"),
            ("-1 GiB", "not a size"),
            ("99999999999 TiB", "larger"),
        ] {
            let error = text.parse::<ByteSize>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
