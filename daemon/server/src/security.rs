//! Who may ask: exact host names, no posts from the pages of others, and a token where one is configured.
//!
//! A daemon that listens on loopback only can still be reached through the browser of somebody who visits a hostile
//! page. Such a page can make requests, but it can neither forge `Host` and `Origin` nor set a header of ours.

mod headers;
mod host;
mod origin;
mod session;
mod token;

pub(crate) use headers::harden;
pub(crate) use host::{Hosts, check_host};
pub(crate) use origin::check_origin;
pub(crate) use session::Sessions;
pub(crate) use token::{COOKIE, check_token, is_secret, session_of};
