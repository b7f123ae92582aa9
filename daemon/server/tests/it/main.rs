//! The server over TCP, with a real queue behind it.
#![allow(clippy::unwrap_used)]

mod api;
mod events;
mod openapi;
mod pages;
mod requeue;
mod security;
mod serving;
mod site;
mod support;
mod world;
