//! Telling people what becomes of their plates, by webhook and by mail.
//!
//! What is to be told stands in the queue: it was written there in the transaction in which it became true. Here it is taken
//! out, sent, and noted as sent. Between the last two the process may die; then it is sent once more after the next start, with
//! the same token, so that a receiver can tell. Nothing waits for a message: not a plate, and not the daemon's stop.
//!
//! ```text
//! queue ─ due notice ─▶ Message ─▶ webhook (slack, json) ─▶ noted as sent, or due again later
//!                               └▶ mail
//! ```

mod addressee;
mod error;
mod json;
mod mail;
mod message;
mod secret;
mod sender;
mod slack;
mod summary;
mod text;
mod webhook;

pub use addressee::Addressee;
pub use error::{Error, Result};
pub use message::Message;
pub use sender::Notices;
