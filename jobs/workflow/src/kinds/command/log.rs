//! What a program writes: all of it to the attempt's log, and the end of it for the reason of a failure.

use std::collections::VecDeque;
use std::io::{Read, Write};

/// Bytes of the end that are looked through for a reason.
const TAIL: usize = 16 << 10;
/// Longest reason in a message.
const LONGEST: usize = 300;

/// Copies everything to `to`, line by line where lines are not too long, so that the outputs of several programs do not mix
/// within one. Returns the end.
pub(super) fn follow(mut output: impl Read, mut to: impl Write) -> Vec<u8> {
    let mut tail = VecDeque::new();
    let mut line = Vec::new();
    let mut buffer = [0_u8; 8192];
    let mut forward = |bytes: &mut Vec<u8>, count: usize| {
        // Nobody to write to: the daemon is gone, and so will this process be.
        let _ = to.write_all(&bytes[..count]);
        bytes.drain(..count);
    };
    loop {
        let count = match output.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let bytes = &buffer[..count];
        tail.extend(bytes);
        tail.drain(..tail.len().saturating_sub(TAIL));
        line.extend_from_slice(bytes);
        if let Some(end) = line.iter().rposition(|b| *b == b'\n') {
            forward(&mut line, end + 1);
        } else if line.len() > buffer.len() {
            let all = line.len();
            forward(&mut line, all);
        }
    }
    if !line.is_empty() {
        line.push(b'\n');
        let all = line.len();
        forward(&mut line, all);
    }
    tail.into()
}

/// The line that says most about a failure: the last that speaks of an error, as the last of a Python traceback does, else
/// the last that is not empty.
pub(super) fn reason(tail: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<String> = text
        .lines()
        .map(readable)
        .filter(|line| !line.is_empty())
        .collect();
    let speaks = |line: &&String| {
        let lower = line.to_lowercase();
        ["error:", "exception:", "error -", "fatal", "exception in"]
            .iter()
            .any(|word| lower.contains(word))
    };
    let line = lines.iter().rev().find(speaks).or_else(|| lines.last())?;
    Some(line.chars().take(LONGEST).collect())
}

/// Whether a program says that a disk or a quota is full. Its language is English (`LANG`).
pub(super) fn says_disk_full(tail: &[u8]) -> bool {
    let text = String::from_utf8_lossy(tail);
    text.contains("No space left on device") || text.contains("Disk quota exceeded")
}

/// Without colours and other control characters.
fn readable(line: &str) -> String {
    let mut out = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // A control sequence ends with a letter.
            characters.find(char::is_ascii_alphabetic);
        } else if !character.is_control() {
            out.push(character);
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_line_that_tells_most_is_found() {
        for (text, found) in [
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 3\nValueError: no such channel\n\ndone in 2 s\n",
                Some("ValueError: no such channel"),
            ),
            ("\u{1b}[31mERROR: bad\u{1b}[0m\r\nbye\n", Some("ERROR: bad")),
            ("first\nsecond\n\n  \n", Some("second")),
            (
                "java.io.IOException: gone\n\tat a.b(c)\n",
                Some("java.io.IOException: gone"),
            ),
            ("", None),
            ("\n\n", None),
        ] {
            assert_eq!(reason(text.as_bytes()).as_deref(), found);
        }
        assert_eq!(reason(&[b'x'; 9000]).unwrap().len(), LONGEST);
    }

    #[test]
    fn only_the_end_is_kept() {
        let mut text = vec![b'a'; 3 * TAIL];
        text.extend_from_slice(b"\nthe end");
        let mut copy = Vec::new();
        let tail = follow(text.as_slice(), &mut copy);
        assert_eq!(tail.len(), TAIL);
        text.push(b'\n');
        assert!(copy == text);
        assert!(tail.ends_with(b"\nthe end"));
    }
}
