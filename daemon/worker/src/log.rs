//! The log of one attempt: its beginning and its end, however much there is between.

use std::collections::VecDeque;

/// Bytes of the beginning that are kept: how it was started.
const HEAD: usize = 16 * 1024;
/// Bytes of the end that are kept: how it ended.
const TAIL: usize = 48 * 1024;

/// What a worker and the programs that it started have written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Log {
    /// Appends.
    pub fn add(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        self.left_out += surplus as u64;
    }

    /// The text, with a line in place of what was left out.
    pub fn text(mut self) -> String {
        let mut bytes = self.head;
        if self.left_out > 0 {
            let note = format!("\n[... {} bytes are left out ...]\n", self.left_out);
            bytes.extend_from_slice(note.as_bytes());
        }
        bytes.extend_from_slice(self.tail.make_contiguous());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_logs_are_whole_and_long_ones_keep_both_ends() {
        let mut log = Log::default();
        log.add(b"one\n");
        log.add(b"two\n");
        assert_eq!(log.text(), "one\ntwo\n");
        let mut log = Log::default();
        log.add(b"begin ");
        for _ in 0..1000 {
            log.add(&[b'x'; 1000]);
        }
        log.add(b" end");
        let text = log.text();
        assert!(text.starts_with("begin xxx") && text.ends_with("xxx end"));
        let left_out = 1_000_010 - HEAD - TAIL;
        assert!(text.contains(&format!("[... {left_out} bytes are left out ...]")));
        assert!(text.len() < HEAD + TAIL + 100);
    }
}
