//! Those who are told: one way each, and an address that can be used.

use std::path::Path;

use super::check_path;
use crate::daemon::overlap::normal;
use crate::daemon::{DaemonConfig, Email, MailTls, Recipient};
use crate::problem::Problem;

impl DaemonConfig {
    pub(super) fn check_recipients(&self, found: &mut Vec<Problem>) {
        for (i, recipient) in self.recipients.iter().enumerate() {
            let key = format!("notify[{i}]");
            self.check_name(i, recipient, found);
            if recipient.on.is_empty() {
                found.push(
                    Problem::error(format!("{key}.on"), "nothing would ever be told")
                        .remedy("write for example `[\"done\", \"done_with_failures\"]`"),
                );
            }
            for (r, path) in recipient.roots.iter().enumerate() {
                if !self
                    .roots
                    .iter()
                    .any(|root| normal(&root.path) == normal(path))
                {
                    found.push(
                        Problem::error(
                            format!("{key}.roots[{r}]"),
                            format!("`{}` is not the path of a `[[root]]`", path.display()),
                        )
                        .remedy("write the path as it stands in the `[[root]]` block, or leave `roots` out for all"),
                    );
                }
            }
            check_way(&key, recipient, found);
            if let Some(url) = &recipient.webhook {
                check_url(&format!("{key}.webhook"), url.reveal(), found);
            }
            if let Some(file) = &recipient.webhook_file {
                check_path(&format!("{key}.webhook_file"), file, found);
            }
            for name in recipient.headers.keys() {
                check_header(&key, name, recipient, found);
            }
            if let Some(email) = &recipient.email {
                check_email(&format!("{key}.email"), email, found);
            }
        }
    }

    fn check_name(&self, index: usize, recipient: &Recipient, found: &mut Vec<Problem>) {
        let key = format!("notify[{index}].name");
        let name = &recipient.name;
        let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.chars().count() > 64 || !name.chars().all(plain) {
            found.push(
                Problem::error(&*key, format!("`{name}` is not a name"))
                    .remedy("use letters, digits, `-`, `_` and `.`: `lab-channel`"),
            );
        }
        if self.recipients[..index]
            .iter()
            .any(|other| other.name == *name)
        {
            found.push(
                Problem::error(
                    &*key,
                    format!("there is another `[[notify]]` with the name `{name}`"),
                )
                .remedy("give each a name of its own"),
            );
        }
    }
}

fn check_way(key: &str, recipient: &Recipient, found: &mut Vec<Problem>) {
    let ways = [
        recipient.webhook.is_some(),
        recipient.webhook_file.is_some(),
        recipient.email.is_some(),
    ];
    match ways.into_iter().filter(|way| *way).count() {
        0 => found.push(
            Problem::error(key, format!("it is not said how `{}` is told", recipient.name))
                .remedy("add `webhook_file`, `webhook`, or an `[notify.email]`"),
        ),
        1 => {}
        _ => found.push(
            Problem::error(key, format!("`{}` is told in more than one way", recipient.name))
                .remedy("write a `[[notify]]` block for each of `webhook`, `webhook_file` and `email`: what one has received is then not sent again because the other failed"),
        ),
    }
}

/// The address itself may be a secret and is not quoted.
fn check_url(key: &str, url: &str, found: &mut Vec<Problem>) {
    let wrong = |message: &str| {
        Problem::error(key, message).remedy(
            "copy the whole address of the webhook, as in `https://hooks.example.org/services/…`",
        )
    };
    let Some((scheme, rest)) = url.split_once("://") else {
        found.push(wrong("this is not the address of a webhook"));
        return;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| {
            if port.parse::<u16>().is_ok() {
                host
            } else {
                authority
            }
        });
    let blank = url.chars().any(|c| c.is_whitespace() || c.is_control());
    if !matches!(scheme, "https" | "http") || host.is_empty() || blank {
        found.push(wrong("this is not the address of a webhook"));
    } else if authority.contains('@') {
        found.push(
            Problem::error(key, "the address has a user in it")
                .remedy("put it into `headers`: `{ Authorization = \"Basic …\" }`"),
        );
    } else if scheme == "http" && !is_this_machine(host) {
        found.push(
            Problem::warning(
                key,
                "everybody on the way can read what is posted to an `http://` address",
            )
            .remedy("use `https://`"),
        );
    }
}

fn is_this_machine(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || literal
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

fn check_header(key: &str, name: &str, recipient: &Recipient, found: &mut Vec<Problem>) {
    let at = format!("{key}.headers");
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let value = recipient
        .headers
        .get(name)
        .map_or("", |value| value.reveal());
    if name.is_empty() || !name.chars().all(token) {
        found.push(
            Problem::error(&*at, format!("`{name}` is not the name of a header"))
                .remedy("write for example `{ Authorization = \"Bearer …\" }`"),
        );
    } else if value.is_empty() || !value.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        found.push(
            Problem::error(
                &*at,
                format!("a request cannot carry the value of `{name}`"),
            )
            .remedy("it must be of ASCII letters, digits and signs, and not empty"),
        );
    } else if [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
    ]
    .iter()
    .any(|own| name.eq_ignore_ascii_case(own))
    {
        found.push(
            Problem::error(&*at, format!("`{name}` is set by the daemon")).remedy("take it out"),
        );
    }
    if recipient.email.is_some() {
        found.push(
            Problem::error(&*at, "mails have no headers of a request").remedy("take `headers` out"),
        );
    }
}

fn check_email(key: &str, email: &Email, found: &mut Vec<Problem>) {
    if email.to.is_empty() {
        found.push(
            Problem::error(format!("{key}.to"), "nobody would get the mail")
                .remedy("write for example `[\"screening@example.org\"]`"),
        );
    }
    for (i, address) in email.to.iter().enumerate() {
        check_address(&format!("{key}.to[{i}]"), address, found);
    }
    check_address(&format!("{key}.from"), &email.from, found);
    let server = email.smtp.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok_and(|p| p > 0)
    });
    if !server {
        found.push(
            Problem::error(
                format!("{key}.smtp"),
                format!("`{}` is not a mail server and its port", email.smtp),
            )
            .remedy("write for example `smtp.example.org:587`"),
        );
    }
    match (&email.username, &email.password_file) {
        (Some(_), None) => found.push(
            Problem::error(
                format!("{key}.username"),
                "a user without a password cannot log in",
            )
            .remedy("add `password_file`"),
        ),
        (None, Some(_)) => found.push(
            Problem::error(
                format!("{key}.password_file"),
                "it is not said whose password this is",
            )
            .remedy("add `username`"),
        ),
        (Some(_), Some(file)) => {
            check_path(&format!("{key}.password_file"), file, found);
            if email.tls == MailTls::None && server && !is_this_machine(host_of(&email.smtp)) {
                found.push(
                    Problem::error(
                        format!("{key}.tls"),
                        "the password would be sent in the clear",
                    )
                    .remedy("use `starttls` or `tls`, or a server that asks for no password"),
                );
            }
        }
        (None, None) => {}
    }
}

fn host_of(server: &str) -> &str {
    server.rsplit_once(':').map_or(server, |(host, _)| host)
}

/// One address, without a name before it.
fn check_address(key: &str, address: &str, found: &mut Vec<Problem>) {
    let good = address.split_once('@').is_some_and(|(user, host)| {
        let plain = |c: char| c.is_ascii_graphic() && !"<>,;:\"()[]\\@".contains(c);
        !user.is_empty()
            && !host.is_empty()
            && user.chars().all(plain)
            && host
                .chars()
                .all(|c| c.is_alphanumeric() || "-.".contains(c))
    });
    if !good {
        found.push(
            Problem::error(key, format!("`{address}` is not a mail address"))
                .remedy("write the bare address: `screening@example.org`"),
        );
    }
}

/// Where people reach the page.
pub(super) fn check_public_url(url: &str, found: &mut Vec<Problem>) {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let good = rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .chars()
                .all(|c| c.is_ascii_graphic() && !"\"<>@?#".contains(c))
    });
    if !good {
        found.push(
            Problem::error(
                "server.public_url",
                format!("`{url}` is not the address of a page"),
            )
            .remedy("write for example `https://microscopy.example.org`"),
        );
    }
}

/// The files that only the daemon should read.
pub(in crate::daemon) fn secret_files(config: &DaemonConfig) -> Vec<(String, &Path)> {
    let mut files = Vec::new();
    for (i, recipient) in config.recipients.iter().enumerate() {
        if let Some(file) = &recipient.webhook_file {
            files.push((format!("notify[{i}].webhook_file"), file.as_path()));
        }
        if let Some(file) = recipient
            .email
            .as_ref()
            .and_then(|email| email.password_file.as_ref())
        {
            files.push((format!("notify[{i}].email.password_file"), file.as_path()));
        }
    }
    files
}
