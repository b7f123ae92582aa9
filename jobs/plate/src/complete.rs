//! When a plate has all it will get.
//!
//! [`CompleteRule`]s are tried in the order in which they are written; the first one that holds decides. The decision is
//! a pure function of [`Facts`], so that a daemon can take it again after a crash and show its reason.

mod decide;
mod layout;
mod rule;

pub use decide::{Decision, Facts, ManifestFacts, decide};
pub use layout::Layout;
pub use rule::{CompleteRule, SentinelGlob};
