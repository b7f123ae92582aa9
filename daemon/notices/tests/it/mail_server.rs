//! A mail server that takes mails, or refuses them as it is told.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A mail, as it came.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub login: String,
    pub text: String,
}

#[derive(Default)]
struct Shared {
    mails: Mutex<Vec<Mail>>,
    changed: Condvar,
    /// Answers to the next senders, in place of 250.
    refusals: Mutex<Vec<&'static str>>,
    /// Everything that clients said.
    said: Mutex<String>,
}

pub struct MailServer {
    shared: Arc<Shared>,
    port: u16,
}

impl MailServer {
    /// Refuses as often as there are refusals, then takes everything.
    pub fn start(refusals: impl IntoIterator<Item = &'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        shared.refusals.lock().unwrap().extend(refusals);
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || {
                    let _ = serve(&stream, &shared);
                });
            }
        });
        Self { shared, port }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn wait(&self, number: usize) -> Vec<Mail> {
        let begin = Instant::now();
        let mut mails = self.shared.mails.lock().unwrap();
        while mails.len() < number {
            assert!(begin.elapsed() < Duration::from_secs(300), "only {mails:?}");
            mails = self
                .shared
                .changed
                .wait_timeout(mails, Duration::from_secs(1))
                .unwrap()
                .0;
        }
        mails.clone()
    }

    pub fn said(&self) -> String {
        self.shared.said.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut out = stream;
    let mut mail = Mail::default();
    out.write_all(b"220 mail.test ESMTP\r\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        shared.said.lock().unwrap().push_str(&line);
        let text = line.trim_end();
        let upper = text.to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO") {
            "250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN"
        } else if upper.starts_with("AUTH PLAIN ") {
            text["AUTH PLAIN ".len()..].clone_into(&mut mail.login);
            "235 welcome"
        } else if upper.starts_with("MAIL FROM:") {
            let refusal = shared.refusals.lock().unwrap().pop();
            text["MAIL FROM:".len()..].clone_into(&mut mail.from);
            refusal.unwrap_or("250 ok")
        } else if upper.starts_with("RCPT TO:") {
            mail.to.push(text["RCPT TO:".len()..].to_owned());
            "250 ok"
        } else if upper == "DATA" {
            out.write_all(b"354 go on\r\n")?;
            loop {
                line.clear();
                reader.read_line(&mut line)?;
                if line == ".\r\n" {
                    break;
                }
                mail.text.push_str(&line);
            }
            shared.mails.lock().unwrap().push(std::mem::take(&mut mail));
            shared.changed.notify_all();
            "250 taken"
        } else if upper == "QUIT" {
            out.write_all(b"221 bye\r\n")?;
            return Ok(());
        } else if upper == "RSET" || upper == "NOOP" {
            "250 ok"
        } else {
            "502 what?"
        };
        write!(out, "{answer}\r\n")?;
    }
}
