//! The operations of BatchLib, through whole passes: against a plate that BatchLib itself processed, and on small images.
#![allow(missing_docs, clippy::unwrap_used)]

mod golden;
mod site;
mod small;
