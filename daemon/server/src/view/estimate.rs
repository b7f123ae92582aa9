//! When a plate will be done, and how fast work goes.

use queue::{Ended, Throughput};
use serde::Serialize;
use utoipa::ToSchema;

use crate::estimate::Estimate;

/// When a plate will be done.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Estimate)]
pub(crate) struct EstimateView {
    /// `about`: between `low_seconds` and `high_seconds` from now. `at_least`: not sooner than `low_seconds`, as something that
    /// cannot be told is left out. `held`: not before somebody or something lets it go on. `unknown`: there is no basis yet.
    pub state: &'static str,
    /// The estimate in a few words.
    pub text: String,
    /// What it rests on, and what it leaves out.
    pub basis: Option<String>,
    /// Not sooner than in so many seconds.
    pub low_seconds: Option<u64>,
    /// Probably not later than in so many seconds.
    pub high_seconds: Option<u64>,
    /// What takes longest: `arrival` of its images, or `work` on them.
    pub limited_by: Option<&'static str>,
}

impl From<Estimate> for EstimateView {
    fn from(estimate: Estimate) -> Self {
        let (text, basis) = (estimate.text(), estimate.basis());
        let (state, low, high, limited_by) = match estimate {
            Estimate::About {
                low,
                high,
                by_arrival,
                ..
            } => {
                let limited_by = if by_arrival { "arrival" } else { "work" };
                ("about", Some(low), Some(high), Some(limited_by))
            }
            Estimate::AtLeast { low, .. } => ("at_least", Some(low), None, None),
            Estimate::Held(_) => ("held", None, None, None),
            Estimate::Unknown(_) => ("unknown", None, None, None),
        };
        Self {
            state,
            text,
            basis,
            low_seconds: low.map(|time| time.as_secs()),
            high_seconds: high.map(|time| time.as_secs()),
            limited_by,
        }
    }
}

/// Numbers of what ended in some time.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Ended)]
pub(crate) struct EndedView {
    /// Image sets (and stacks) of which no task was left to run.
    pub image_sets: u64,
    /// Executions of tasks that succeeded.
    pub succeeded: u64,
    /// Executions of tasks that failed.
    pub failed: u64,
}

impl From<Ended> for EndedView {
    fn from(ended: Ended) -> Self {
        Self {
            image_sets: ended.image_sets,
            succeeded: ended.succeeded,
            failed: ended.failed,
        }
    }
}

/// How much ended lately.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Throughput)]
pub(crate) struct ThroughputView {
    /// In the last ten minutes.
    pub ten_minutes: EndedView,
    /// In the last hour.
    pub hour: EndedView,
    /// In each of the last 24 hours, the oldest first; the last one is `hour`.
    pub hours: Vec<EndedView>,
}

impl From<Throughput> for ThroughputView {
    fn from(throughput: Throughput) -> Self {
        Self {
            ten_minutes: throughput.ten_minutes.into(),
            hour: throughput.hour.into(),
            hours: throughput.hours.into_iter().map(Into::into).collect(),
        }
    }
}
