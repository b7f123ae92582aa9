//! Sessions of browsers that presented the token.
//!
//! The cookie holds a random name, not the token: cookies are shared by all servers of a host, whatever their port.
//! Sessions are forgotten when the daemon ends.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;

/// How long a browser stays logged in.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// Most sessions; the oldest ends when one more begins.
const MOST: usize = 256;

#[derive(Default)]
pub(crate) struct Sessions(Mutex<Vec<Session>>);

struct Session {
    name: String,
    until: Instant,
}

impl Sessions {
    /// Begins a session; returns its name.
    pub(crate) fn begin(&self) -> std::io::Result<String> {
        let mut bytes = [0_u8; 32];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST {
            sessions.remove(0);
        }
        sessions.push(Session {
            name: name.clone(),
            until: Instant::now() + LIFETIME,
        });
        Ok(name)
    }

    /// Whether this is the name of a session.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        sessions.retain(|session| session.until > now);
        sessions
            .iter()
            .any(|session| bool::from(session.name.as_bytes().ct_eq(name.as_bytes())))
    }

    /// Ends a session.
    pub(crate) fn end(&self, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|session| session.name != name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sessions_begin_and_end() {
        let sessions = Sessions::default();
        let one = sessions.begin().unwrap();
        let two = sessions.begin().unwrap();
        assert_ne!(one, two);
        assert!(sessions.knows(&one) && sessions.knows(&two));
        assert!(!sessions.knows("") && !sessions.knows(&one[..63]));
        sessions.end(&one);
        assert!(!sessions.knows(&one) && sessions.knows(&two));
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let sessions = Sessions::default();
        let first = sessions.begin().unwrap();
        for _ in 0..MOST {
            sessions.begin().unwrap();
        }
        assert!(!sessions.knows(&first));
    }
}
