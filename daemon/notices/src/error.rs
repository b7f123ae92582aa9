//! Why a message was not delivered.

use std::path::PathBuf;
use std::time::Duration;

/// The result of a delivery.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a message was not delivered. No text of these errors holds an address of a webhook, a header's value or a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file with a secret cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file with a secret can be read by everybody.
    #[error("everybody on this machine can read `{}`", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("the first line of `{}` is not {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The other side answered with an error.
    #[error("{host} refuses the message: {status}{said}")]
    Refused {
        /// The other side.
        host: String,
        /// Status of the answer.
        status: u16,
        /// What it said, after a colon.
        said: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The other side sends elsewhere.
    #[error(
        "{host} redirects to another address ({status}); that is not followed, because the message is for {host}"
    )]
    Redirected {
        /// The other side.
        host: String,
        /// Status of the answer.
        status: u16,
    },
    /// The other side did not answer in time.
    #[error("{host} does not answer: no answer within {seconds} s")]
    Silent {
        /// The other side.
        host: String,
        /// The patience.
        seconds: u64,
    },
    /// There is no connection.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// The other side.
        host: String,
        /// Why.
        reason: String,
    },
    /// The connection is not safe.
    #[error("there is no safe connection to {host}: {reason}")]
    Unsafe {
        /// The other side.
        host: String,
        /// Why.
        reason: String,
    },
    /// The mail server answered with an error.
    #[error("the mail server {host} refuses the mail: {reason}")]
    MailRefused {
        /// The server.
        host: String,
        /// What it said.
        reason: String,
        /// Whether it says that trying again may help.
        transient: bool,
    },
    /// Sending ended by a bug.
    #[error("sending ended by a bug")]
    Bug,
    /// A mail cannot be made.
    #[error("the mail cannot be written: {reason}")]
    Mail {
        /// Why.
        reason: String,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::SecretFile { path, .. } => format!(
                "create `{}`, readable by the user that runs the daemon",
                path.display()
            ),
            Self::Exposed { path } => format!("`chmod 640 {}`, and replace what is in it", path.display()),
            Self::Content { path, what } => format!("write {what} into `{}`, on one line", path.display()),
            Self::Refused { status: 429, .. } => {
                "nothing: it asks for patience, and is tried again later".to_owned()
            }
            Self::Refused { status: 401 | 403 | 404 | 410, .. } => {
                "the address of the webhook is no longer right: make a new one, put it in its place, and reload the configuration".to_owned()
            }
            Self::Refused { status: 400..=499, .. } => {
                "check `format` and `headers`; is it really the address of a webhook?".to_owned()
            }
            Self::Refused { .. } => "nothing: the other side is in trouble, and is tried again later".to_owned(),
            Self::Redirected { .. } => "use the address to which it redirects, if that is the right one".to_owned(),
            Self::Silent { .. } | Self::Unreachable { .. } => {
                "check the address, the network, the firewall, and `IPAddressAllow=` of the service".to_owned()
            }
            Self::Unsafe { .. } => {
                "check the name and the port; a certificate of your own authority belongs into the machine's list (update-ca-certificates)".to_owned()
            }
            Self::MailRefused { transient: true, .. } => "nothing: it is tried again later".to_owned(),
            Self::MailRefused { .. } => {
                "check `from`, `to`, `username` and the password; ask who runs the mail server".to_owned()
            }
            Self::Bug => "please report it, with the daemon's log".to_owned(),
            Self::Mail { .. } => "check `from` and `to`".to_owned(),
        }
    }

    /// How long the other side asks to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
