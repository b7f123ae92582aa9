//! How many planes a plate has when its layout is known beforehand.

use serde::{Deserialize, Serialize};

/// The layout of a plate, for the rule `expected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Wells that are imaged.
    pub wells: u32,
    /// Sites in each well.
    #[serde(default = "one")]
    pub sites: u32,
    /// Channels of each site.
    #[serde(default = "one")]
    pub channels: u32,
    /// Slices of each channel.
    #[serde(default = "one")]
    pub z: u32,
    /// Timepoints.
    #[serde(default = "one")]
    pub t: u32,
}

fn one() -> u32 {
    1
}

impl Layout {
    /// The number of planes: each channel of each site counts, whether it has a file of its own or is a page of one.
    #[must_use]
    pub fn planes(&self) -> u64 {
        [self.wells, self.sites, self.channels, self.z, self.t]
            .into_iter()
            .map(u64::from)
            .fold(1, u64::saturating_mul)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn counts_planes() {
        let layout: Layout =
            serde_json::from_str(r#"{"wells": 96, "sites": 9, "channels": 3}"#).unwrap();
        assert_eq!(layout.planes(), 2592);
        assert!(serde_json::from_str::<Layout>(r#"{"wells": 96, "site": 9}"#).is_err());
        let huge = Layout {
            wells: u32::MAX,
            sites: u32::MAX,
            channels: u32::MAX,
            z: 1,
            t: 1,
        };
        assert_eq!(huge.planes(), u64::MAX);
    }
}
