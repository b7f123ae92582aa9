//! Tests of the store through its public interface, on real SQLite files.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, missing_docs)]

mod arrival;
mod claiming;
mod concurrency;
mod crash;
mod finishing;
mod model;
mod notices;
mod opening;
mod pace;
mod planning;
mod plates;
mod reading;
mod requeueing;
mod support;
