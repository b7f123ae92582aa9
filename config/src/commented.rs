//! The commented default file that `wellspring config init` prints.

use crate::reference::{example_text, type_words};
use crate::schema::{self, SchemaOption};

/// Longest comment line, in characters.
const WIDTH: usize = 100;

const HEAD: &str = "\
Configuration of the Wellspring daemon.

A line that begins with `#` and a name shows the default of an option, or an example where it says so; take the `#` away to
change it. Then `wellspring config check` says whether all is well, and `systemctl restart wellspring` makes the daemon
read it; no work is lost by that. Files in `conf.d` beside this one are read after it.";

/// Marks a line that is an example, not the default.
pub(crate) const EXAMPLE: &str = "# example";

/// The default configuration as a commented file: every option once, with its default or an example, and what it does.
#[must_use]
pub fn commented_default() -> String {
    let mut out = String::new();
    comment(&mut out, HEAD);
    let mut section = String::new();
    for option in schema::options(schema::daemon()) {
        let place = option
            .key
            .strip_suffix(option.name())
            .map_or("", |p| p.trim_end_matches('.'));
        if place != section {
            open_section(&mut out, place);
            place.clone_into(&mut section);
        }
        write_option(&mut out, &option);
    }
    out
}

fn comment(out: &mut String, text: &str) {
    for line in wrapped(text) {
        out.push_str(if line.is_empty() { "#" } else { "# " });
        out.push_str(&line);
        out.push('\n');
    }
}

fn open_section(out: &mut String, place: &str) {
    out.push('\n');
    comment(out, &"-".repeat(WIDTH - 2));
    comment(out, schema::section_description(schema::daemon(), place));
    out.push_str(&match (place.strip_suffix("[]"), place.replace("[]", "")) {
        (Some(list), _) => format!("#[[{list}]]  {EXAMPLE}\n"),
        // A section inside a list can only be written once its list has an element.
        (None, plain) if place.contains("[]") => format!("#[{plain}]  {EXAMPLE}\n"),
        (None, plain) => format!("[{plain}]\n"),
    });
}

fn write_option(out: &mut String, option: &SchemaOption<'_>) {
    out.push('\n');
    comment(out, option.description());
    let words = type_words(option);
    if !words.is_empty() {
        comment(out, &words);
    }
    let name = option.name();
    match (option.default(), option.example()) {
        (Some(default), _) => out.push_str(&format!("#{name} = {}\n", example_text(default))),
        (None, Some(example)) => {
            out.push_str(&format!("#{name} = {}  {EXAMPLE}\n", example_text(example)));
        }
        (None, None) => {}
    }
}

/// Breaks a text into lines; paragraphs stay apart.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split("\n\n") {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH - 2 {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// The file with its commented options switched on: those with a default, and the examples too if wanted.
#[cfg(test)]
fn uncommented(with_examples: bool) -> String {
    let is_option = |rest: &str| {
        rest.starts_with('[')
            || rest
                .split_once(" = ")
                .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    // A watched folder is an example as a whole, its defaults included.
    let mut in_root = false;
    let mut out = String::new();
    for line in commented_default().lines() {
        in_root |= line.starts_with("#[[root]]");
        let is_example = in_root || line.ends_with(EXAMPLE);
        match line.strip_prefix('#') {
            Some(rest) if is_option(rest) && (with_examples || !is_example) => out.push_str(rest),
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::daemon::DaemonConfig;
    use crate::document::Document;

    fn parse(text: &str) -> DaemonConfig {
        match Document::from_text(text).check::<DaemonConfig>(schema::daemon()) {
            Ok(checked) => checked.typed,
            Err(problems) => panic!("{}\n{text}", crate::ConfigError::Invalid(problems)),
        }
    }

    #[test]
    fn as_printed_it_is_the_default() {
        assert_eq!(parse(&commented_default()), DaemonConfig::default());
    }

    #[test]
    fn with_every_default_switched_on_it_is_still_the_default() {
        let text = uncommented(false);
        assert!(text.contains("\nlisten = \"127.0.0.1:8787\"\n"), "{text}");
        assert_eq!(parse(&text), DaemonConfig::default());
    }

    #[test]
    fn with_the_examples_too_it_parses_and_knows_every_option() {
        let text = uncommented(true);
        let config = parse(&text);
        assert_eq!(config.roots.len(), 1);
        for option in schema::options(schema::daemon()) {
            let line = format!("\n{} = ", option.name());
            assert!(text.contains(&line), "`{}` is not in the file", option.key);
        }
    }

    #[test]
    fn no_line_is_too_long() {
        for line in commented_default().lines() {
            assert!(line.chars().count() <= WIDTH + 20, "{line}");
        }
    }
}
