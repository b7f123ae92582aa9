//! Messages over real sockets: a web server and a mail server that speak as much of their protocols as is needed, and a real
//! queue.
#![allow(clippy::unwrap_used, missing_docs)]

mod delivering;
mod lab;
mod mail;
mod mail_server;
mod web_server;
mod webhooks;
