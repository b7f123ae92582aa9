//! The crash loop: plates keep arriving while the daemon and its workers are killed, at random and at every named point, and
//! invariants are checked after each restart.

mod accounts;
mod bench;
mod feeder;
mod follower;
mod hunt;
mod observer;
mod plans;
mod victim;

pub use accounts::Accounts;
pub use bench::{Bench, SPEC};
pub use feeder::Feeder;
pub use follower::Follower;
pub use hunt::{Hunt, Options, Summary};
pub use observer::Observer;
pub use plans::{Hit, Plans};
pub use victim::Victim;
