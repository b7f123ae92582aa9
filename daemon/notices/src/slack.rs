//! Messages as Slack takes them: `text` for all who know nothing else, `blocks` for Slack.
//!
//! Everything is in `text`, because Mattermost and Discord show only that. Foreign text stands between backticks, where no
//! program looks for emphasis, links or names to call (`@channel`).

use serde_json::{Value, json};

use crate::message::{Fact, Message};
use crate::text::clip;

/// Most characters of a header, of a section, and of the text (Discord takes 2000, and shows no longer one).
const HEADER: usize = 150;
const SECTION: usize = 2900;
const TEXT: usize = 1900;

/// The body of the request.
pub(crate) fn body(message: &Message) -> Value {
    let title = format!(
        "{}{}{}",
        message.title.before,
        code(&message.title.name),
        message.title.after
    );
    let mut parts = vec![facts(message)];
    if !message.failures.is_empty() {
        parts.push(failures(message));
    }
    if let Some(link) = &message.link {
        parts.push(format!("<{}|Open in Wellspring>", escape(link)));
    }
    if let Some(summary) = &message.summary.text {
        parts.push(block_of_code(summary));
    }
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": clip(&message.title.to_string(), HEADER), "emoji": false },
    })];
    blocks.extend(
        parts
            .iter()
            .map(|part| json!({ "type": "section", "text": { "type": "mrkdwn", "text": part } })),
    );
    json!({ "text": text(&title, &parts), "blocks": blocks })
}

/// As many of the parts as fit, whole.
fn text(title: &str, parts: &[String]) -> String {
    let mut text = format!("*{title}*");
    for part in parts {
        if text.chars().count() + part.chars().count() < TEXT {
            text.push('\n');
            text.push_str(part);
        }
    }
    text
}

fn facts(message: &Message) -> String {
    let lines: Vec<String> = message
        .facts
        .iter()
        .map(|(heading, fact)| match fact {
            Fact::Words(words) => format!("{heading}: {}", escape(words)),
            Fact::Name(name) => format!("{heading}: {}", code(name)),
        })
        .collect();
    lines.join("\n")
}

fn failures(message: &Message) -> String {
    let mut text = "First failures:".to_owned();
    for failed in &message.failures {
        let mut line = format!("\n• {}: {}", code(&failed.place), code(&failed.why));
        if !failed.remedy.is_empty() {
            line.push_str(&format!("\n   {}", code(&failed.remedy)));
        }
        if text.chars().count() + line.chars().count() < SECTION {
            text.push_str(&line);
        }
    }
    text
}

/// Foreign text on one line.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("`{}`", escape(text).replace('`', "ˋ"))
}

/// Foreign text of several lines.
fn block_of_code(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .map(|c| if c == '`' { 'ˋ' } else { c })
        .collect();
    // Each character takes up to five when it is escaped.
    let mut escaped = String::new();
    for c in text.trim().chars() {
        if escaped.chars().count() > SECTION - 20 {
            escaped.push('…');
            break;
        }
        escaped.push_str(&escape(c.encode_utf8(&mut [0; 4])));
    }
    format!("```\n{escaped}\n```")
}

/// Slack's three control characters.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
