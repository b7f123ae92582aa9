//! Who is told what becomes of the plates.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::field_order;
use crate::value::Secret;

/// Who is told what becomes of the plates, and how: by one of `webhook`, `webhook_file` and `email`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct Recipient {
    /// The recipient's name in logs and messages of this program. What waits for a recipient waits under its name.
    #[schemars(example = &"lab-channel")]
    pub name: String,
    /// What is told. `done`: every task of a plate succeeded. `done_with_failures`: nothing of a plate is left to run, but not
    /// everything succeeded. `stale`: a plate was done, then more images came. `paused`: the daemon paused work by itself,
    /// because a disk is full or a folder went away.
    #[serde(default = "default_on")]
    pub on: Vec<Occasion>,
    /// Only of plates of these watched folders, given by their `path`. By default of all.
    #[serde(default)]
    #[schemars(with = "Vec<String>", example = vec!["/data/acquisition"])]
    pub roots: Vec<PathBuf>,
    /// Address to which messages are posted, beginning with `https://`. Whoever knows the address of a chat's webhook can
    /// write there: better put it into a file and name that in `webhook_file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"https://mattermost.example.org/hooks/abc")]
    pub webhook: Option<Secret>,
    /// File with that address on its first line. Only the user that runs the daemon should be able to read it. It is read for
    /// each message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = &"/etc/wellspring/webhook", extend("format" = "path"))]
    pub webhook_file: Option<PathBuf>,
    /// What is posted.
    #[serde(default)]
    pub format: WebhookFormat,
    /// Headers of the request, for example `{ Authorization = "Bearer abc" }`. Their values are not shown anywhere.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Send a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

fn default_on() -> Vec<Occasion> {
    vec![Occasion::Done, Occasion::DoneWithFailures]
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Occasion {
    /// Every task of a plate succeeded.
    Done,
    /// Nothing of a plate is left to run, but not everything succeeded.
    DoneWithFailures,
    /// A plate was done, then more images came.
    Stale,
    /// The daemon paused work by itself: a disk is full, or a folder went away.
    Paused,
}

/// What is posted to a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum WebhookFormat {
    /// A message for people, as Slack takes it: `text` and `blocks`. Mattermost reads it, too, and Discord at an address that
    /// ends in `/slack`.
    #[default]
    Slack,
    /// Everything that is known, for programs.
    Json,
}

/// Mail, through a mail server that takes it from this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct Email {
    /// Addresses of those who get it.
    #[schemars(example = vec!["screening@example.org"])]
    pub to: Vec<String>,
    /// Address of the sender.
    #[schemars(example = &"wellspring@example.org")]
    pub from: String,
    /// The mail server and its port: 587 for `starttls`, 465 for `tls`, 25 for `none`.
    #[schemars(example = &"smtp.example.org:587")]
    pub smtp: String,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// User at the mail server, if it wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"wellspring")]
    pub username: Option<String>,
    /// File with the password of that user on its first line. Only the user that runs the daemon should be able to read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", example = &"/etc/wellspring/smtp-password", extend("format" = "path"))]
    pub password_file: Option<PathBuf>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum MailTls {
    /// It begins in the clear and is encrypted before anything is said; a server that cannot do that gets no mail.
    #[default]
    Starttls,
    /// It is encrypted from the beginning.
    Tls,
    /// Not at all; for a server on this machine or in a network of its own.
    None,
}
