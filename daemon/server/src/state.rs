//! What the server is given.

use std::fmt;
use std::sync::Arc;

use queue::Store;
use viewer::Viewer;

use crate::control::Control;

/// What the server works with.
#[derive(Clone)]
pub struct AppState {
    /// The queue.
    pub store: Store,
    /// The running daemon.
    pub control: Arc<dyn Control>,
    /// Reads published containers.
    pub viewer: Viewer,
    /// Settings.
    pub options: Options,
}

/// Settings of the server.
#[derive(Clone)]
pub struct Options {
    /// The secret that requests must present; `None` lets everybody in who reaches the listen address.
    pub token: Option<String>,
    /// Names (with or without a port) under which browsers may reach the server, beside the listen address and the
    /// names of this machine for itself.
    pub allowed_hosts: Vec<String>,
    /// Largest request body, bytes.
    pub max_body: usize,
    /// Version of the program, as it is shown.
    pub version: String,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token must not end up in a log.
        f.debug_struct("Options")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("allowed_hosts", &self.allowed_hosts)
            .field("max_body", &self.max_body)
            .field("version", &self.version)
            .finish()
    }
}
