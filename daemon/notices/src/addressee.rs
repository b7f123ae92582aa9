//! Somebody who is told, and how.

use std::fmt;
use std::path::PathBuf;

use config::{Occasion, Recipient, Secret, WebhookFormat};
use queue::{NewRecipient, NoticeKind};

use crate::error::{Error, Result};
use crate::message::Message;
use crate::secret::first_line;
use crate::{json, mail, slack, webhook};

/// What a webhook's file must hold.
const AN_ADDRESS: &str = "the address of a webhook";

/// Somebody who is told. Displays as where messages go, without anything secret.
#[derive(Clone, Debug)]
pub struct Addressee {
    recipient: Recipient,
    /// Name of this machine, for mail servers.
    machine: String,
}

impl Addressee {
    /// Of a block of the configuration.
    #[must_use]
    pub fn new(recipient: Recipient) -> Self {
        Self {
            recipient,
            machine: machine(),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.recipient.name
    }

    /// The files in which its secrets lie.
    #[must_use]
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let password = self
            .recipient
            .email
            .as_ref()
            .and_then(|e| e.password_file.clone());
        self.recipient
            .webhook_file
            .clone()
            .into_iter()
            .chain(password)
            .collect()
    }

    /// Whether its secrets can be read.
    ///
    /// # Errors
    /// A file is missing, is readable by everybody, or does not hold what it should.
    pub fn check(&self) -> Result<()> {
        if self.recipient.webhook_file.is_some() {
            self.url()?;
        }
        match self
            .recipient
            .email
            .as_ref()
            .and_then(|e| e.password_file.as_ref())
        {
            Some(file) => first_line(file, "a password").map(drop),
            None => Ok(()),
        }
    }

    /// Delivers a message; blocks until it is delivered, refused, or nobody answers.
    ///
    /// # Errors
    /// It is not delivered.
    pub fn send(&self, message: &Message) -> Result<()> {
        if let Some(email) = &self.recipient.email {
            return mail::send(email, message, &self.machine);
        }
        let body = match self.recipient.format {
            WebhookFormat::Slack => slack::body(message),
            WebhookFormat::Json => json::body(message),
        };
        webhook::post(&webhook::Request {
            url: self.url()?.reveal(),
            headers: &self.recipient.headers,
            token: &message.token,
            body: body.to_string(),
        })
    }

    fn url(&self) -> Result<Secret> {
        match (&self.recipient.webhook, &self.recipient.webhook_file) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(file)) => {
                let line = first_line(file, AN_ADDRESS)?;
                let good = line.starts_with("https://") || line.starts_with("http://");
                if good && !line.contains(char::is_whitespace) {
                    return Ok(Secret::from(line.as_str()));
                }
                Err(Error::Content {
                    path: file.clone(),
                    what: AN_ADDRESS,
                })
            }
            // The configuration was checked: there is a way.
            (None, None) => Err(Error::Bug),
        }
    }

    /// What the queue must know.
    pub(crate) fn for_queue(&self) -> NewRecipient {
        let wants = self.recipient.on.iter().map(|occasion| match occasion {
            Occasion::Done => NoticeKind::Done,
            Occasion::DoneWithFailures => NoticeKind::DoneWithFailures,
            Occasion::Stale => NoticeKind::Stale,
            Occasion::Paused => NoticeKind::Paused,
        });
        NewRecipient {
            name: self.recipient.name.clone(),
            wants: wants.collect(),
            roots: self.recipient.roots.clone(),
        }
    }
}

impl fmt::Display for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recipient = &self.recipient;
        if let Some(email) = &recipient.email {
            return write!(f, "mail to {} through {}", email.to.join(", "), email.smtp);
        }
        let format = match recipient.format {
            WebhookFormat::Slack => "slack",
            WebhookFormat::Json => "json",
        };
        match self.url() {
            Ok(url) => write!(f, "webhook at {} ({format})", webhook::host(url.reveal())),
            Err(_) => write!(f, "webhook ({format})"),
        }
    }
}

/// The name of this machine, as far as a mail server would take it.
pub(crate) fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c))
        .collect();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name
    }
}
