//! Times.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// A time as the API writes it: RFC 3339 in UTC, with three digits of a second even if they are 0. Whoever sorts or compares
/// the texts then sorts the times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(Timestamp);

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

/// Writes a time as [`Moment`] does, for types that other crates fill.
pub(crate) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_sort_as_times() {
        let text = |millis| {
            let at = Timestamp::from_millisecond(millis).unwrap();
            serde_json::to_value(Moment::from(at)).unwrap()
        };
        assert_eq!(text(1_767_323_045_800), "2026-01-02T03:04:05.800Z");
        assert_eq!(text(1_767_323_045_000), "2026-01-02T03:04:05.000Z");
        assert!(text(1_767_323_045_800).as_str() < text(1_767_323_045_834).as_str());
    }
}
