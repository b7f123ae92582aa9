//! The watcher on the real file system. Every wait is for an event, with a deadline.
#![allow(clippy::unwrap_used)]

#[path = "watching/lab.rs"]
mod lab;

#[path = "watching/arrival.rs"]
mod arrival;
#[path = "watching/changes.rs"]
mod changes;
#[path = "watching/incomplete.rs"]
mod incomplete;
#[path = "watching/kernel.rs"]
mod kernel;
#[path = "watching/presence.rs"]
mod presence;
#[path = "watching/queries.rs"]
mod queries;
#[path = "watching/rules.rs"]
mod rules;
#[path = "watching/soak.rs"]
mod soak;
#[path = "watching/storm.rs"]
mod storm;
