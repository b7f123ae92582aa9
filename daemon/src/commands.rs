//! The commands that need more than the HTTP API.

pub mod config;
pub mod doctor;
pub mod export;
pub mod export_postgres;
pub mod gpu;
pub mod ilastik;
pub mod inspect;
pub mod manual;
pub mod model;
pub mod names;
pub mod notify;
pub mod render;
pub mod run;
pub mod serve;
pub mod worker;
pub mod workflow;
