//! Messages between a worker and the GPU's process, each followed by the arrays that it announces; see [`crate::frame`].

use std::collections::BTreeMap;

use analysis::accelerator::GreyFilter;
use serde::{Deserialize, Serialize};

use crate::tally::Operation;

/// The code of a failure that says: send the classifier again.
pub(crate) const FORGOTTEN: &str = "forgotten";

/// From a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// The first message.
    Hello {
        /// Version of the worker's program; must be the process's own.
        version: String,
    },
    /// The flat field; arrays: the image, if it is sent, and the divisor.
    FlatField {
        image: Source,
        offset: f32,
        keep: Option<u64>,
    },
    /// A filter of grey morphology; array: the image, if it is sent.
    Grey {
        #[serde(with = "grey_filter")]
        filter: GreyFilter,
        radius: usize,
        image: Source,
        keep: Option<u64>,
    },
    /// A classifier; array: its bytes.
    Classifier,
    /// Probabilities of a classifier that was sent, by the hash of its bytes; array: the image (channel, z, y, x).
    Probabilities { classifier: String },
    /// Squared distances to the nearest pixel that is 0; array: the mask, 8-bit.
    Distances,
    /// Connected components of what is not 0; array: the mask, 8-bit.
    Label {
        /// Whether pixels that share a corner only are neighbours.
        corners: bool,
    },
    /// Nothing that was kept is asked for again.
    Forget,
}

/// Where a plane comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// It follows; to be kept under a number, if there is one.
    Sent(Option<u64>),
    /// It was kept under this number.
    Kept(u64),
}

/// To a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// The device is open.
    Welcome {
        /// The adapter's name.
        adapter: String,
        /// From which size on it is worth asking; `None`: always.
        thresholds: Option<BTreeMap<Operation, Threshold>>,
    },
    /// Ask again in a moment.
    NotYet { reason: String },
    /// There is no device.
    Unavailable { code: String, reason: String },
    /// The answer; array: the result.
    Done {
        /// Numbers that were kept.
        kept: Vec<u64>,
        dispatches: u64,
        seconds: f64,
    },
    /// No answer: compute it elsewhere.
    Failed { code: String, reason: String },
}

/// From which size on an operation is faster on the GPU, as measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Pixels from which on; `None`: never.
    pub from_pixels: Option<u64>,
    /// How many times faster it is at the largest size that was tried, transfers included, against one thread.
    pub speedup: f64,
}

mod grey_filter {
    use analysis::accelerator::GreyFilter;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const NAMES: [(GreyFilter, &str); 5] = [
        (GreyFilter::Erosion, "erosion"),
        (GreyFilter::Dilation, "dilation"),
        (GreyFilter::Opening, "opening"),
        (GreyFilter::Closing, "closing"),
        (GreyFilter::WhiteTophat, "white_tophat"),
    ];

    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(filter: &GreyFilter, s: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(f, _)| f == filter);
        s.serialize_str(name.map_or("", |(_, name)| name))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<GreyFilter, D::Error> {
        let name = String::deserialize(d)?;
        let found = NAMES.iter().find(|(_, n)| *n == name);
        found
            .map(|(f, _)| *f)
            .ok_or_else(|| D::Error::custom(format!("unknown filter `{name}`")))
    }
}
