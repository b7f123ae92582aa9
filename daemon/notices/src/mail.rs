//! Sending a mail.

use std::time::{Duration, SystemTime};

use config::{Email, MailTls};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, SmtpTransport, Transport};

use crate::error::{Error, Result};
use crate::message::{Fact, Message};
use crate::secret::first_line;
use crate::text::{line, without};

/// How long the server may take for each answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Most characters of what a server said.
const SAID: usize = 300;

/// The server's name, and its port.
pub(crate) fn server(email: &Email) -> (String, u16) {
    let (host, port) = email.smtp.rsplit_once(':').unwrap_or((&email.smtp, "25"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host.to_owned(), port.parse().unwrap_or(25))
}

/// Sends one mail to all addresses.
pub(crate) fn send(email: &Email, message: &Message, machine: &str) -> Result<()> {
    let mail = written(email, message, machine)?;
    let (host, port) = server(email);
    let parameters = |host: &str| {
        TlsParameters::new_rustls(host.to_owned()).map_err(|error| Error::Unsafe {
            host: host.to_owned(),
            reason: line(&error.to_string(), SAID),
        })
    };
    let tls = match email.tls {
        MailTls::Starttls => Tls::Required(parameters(&host)?),
        MailTls::Tls => Tls::Wrapper(parameters(&host)?),
        MailTls::None => Tls::None,
    };
    let mut builder = SmtpTransport::builder_dangerous(&host)
        .port(port)
        .tls(tls)
        .timeout(Some(PATIENCE))
        .hello_name(ClientId::Domain(machine.to_owned()));
    let mut password = String::new();
    if let (Some(username), Some(file)) = (&email.username, &email.password_file) {
        password = first_line(file, "a password")?;
        builder = builder.credentials(Credentials::new(username.clone(), password.clone()));
    }
    let answer = builder.build().send(&mail);
    answer
        .map(drop)
        .map_err(|error| explain(&error, host, &password))
}

fn written(email: &Email, message: &Message, machine: &str) -> Result<lettre::Message> {
    let wrong = |reason: String| Error::Mail { reason };
    let mailbox = |address: &str| {
        let parsed = address.parse::<Address>();
        parsed
            .map(|address| Mailbox::new(None, address))
            .map_err(|error| wrong(format!("`{address}` is not a mail address: {error}")))
    };
    let mut builder = MessageBuilder::new()
        .from(mailbox(&email.from)?)
        .subject(line(&message.title.to_string(), 200))
        .date(SystemTime::from(message.at))
        // The same at every try: a mail that came twice is shown once by most programs.
        .message_id(Some(format!("<{}@{machine}>", message.token)))
        .header(AutoSubmitted);
    for address in &email.to {
        builder = builder.to(mailbox(address)?);
    }
    builder
        .header(ContentType::TEXT_PLAIN)
        .body(body(message))
        .map_err(|error| wrong(error.to_string()))
}

/// Plain text.
fn body(message: &Message) -> String {
    let mut text = format!("{}\n\n", message.title);
    for (heading, fact) in &message.facts {
        let (Fact::Words(value) | Fact::Name(value)) = fact;
        text.push_str(&format!("{heading}: {value}\n"));
    }
    if !message.failures.is_empty() {
        text.push_str("\nFirst failures:\n");
        for failed in &message.failures {
            text.push_str(&format!("- {}: {}\n", failed.place, failed.why));
            if !failed.remedy.is_empty() {
                text.push_str(&format!("  {}\n", failed.remedy));
            }
        }
    }
    if let Some(link) = &message.link {
        text.push_str(&format!("\n{link}\n"));
    }
    if let Some(summary) = &message.summary.text {
        let clean = summary
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
        text.push('\n');
        text.extend(clean);
    }
    text
}

fn explain(error: &lettre::transport::smtp::Error, host: String, password: &str) -> Error {
    // The cause says more than the error itself.
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let text = cause.to_string();
        if !reason.contains(&text) {
            reason.push_str(": ");
            reason.push_str(&text);
        }
        source = cause.source();
    }
    let reason = line(&without(&reason, &[password]), SAID);
    if error.is_timeout() {
        let seconds = PATIENCE.as_secs();
        return Error::Silent { host, seconds };
    }
    if error.is_tls() {
        return Error::Unsafe { host, reason };
    }
    if error.is_permanent() || error.is_transient() || error.is_response() || error.is_client() {
        let transient = error.is_transient();
        return Error::MailRefused {
            host,
            reason,
            transient,
        };
    }
    Error::Unreachable { host, reason }
}

/// Tells the other side's absence notes to keep quiet (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
