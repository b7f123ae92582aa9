//! What the black-box tests share: a synthetic plate with known cells, the real binary, a daemon to talk to, and
//! a web server for it to talk to.

pub mod binary;
pub mod crash;
pub mod daemon;
pub mod hostile;
pub mod namespace;
pub mod screen;
pub mod synthetic;
pub mod tiny;
pub mod web_server;
