//! Lines from a worker, none longer than a message can be.
//!
//! A worker decodes foreign bytes. One that was taken over by them must not fill the daemon's memory with a line that never
//! ends.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The longest message: a report on a pass of some hundred jobs has some ten thousand bytes.
const LONGEST: usize = 16 << 20;

/// Reads lines; dropping a future of [`Self::next_line`] loses nothing.
pub(crate) struct Messages<R> {
    reader: R,
    line: Vec<u8>,
}

impl<R: AsyncBufRead + Unpin> Messages<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            line: Vec::new(),
        }
    }

    /// The next line without its end; nothing at the end of the stream.
    ///
    /// # Errors
    /// The stream fails, or a line is too long or no UTF-8.
    pub(crate) async fn next_line(&mut self) -> io::Result<Option<String>> {
        loop {
            let bytes = self.reader.fill_buf().await?;
            if bytes.is_empty() && self.line.is_empty() {
                return Ok(None);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let ended = end.is_some() || bytes.is_empty();
            let count = end.unwrap_or(bytes.len());
            if self.line.len() + count > LONGEST {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("it wrote a line of more than {LONGEST} bytes"),
                ));
            }
            self.line.extend_from_slice(&bytes[..count]);
            self.reader.consume(count + usize::from(end.is_some()));
            if ended {
                let line = String::from_utf8(std::mem::take(&mut self.line));
                return line.map(Some).map_err(|_| {
                    io::Error::new(
                        io::ErrorKind::InvalidData,
                        "it wrote a line that is no UTF-8",
                    )
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncWriteExt, BufReader};

    use super::*;

    #[tokio::test]
    async fn lines_come_whole_and_bounded() {
        let (mut writer, reader) = tokio::io::duplex(8);
        let mut messages = Messages::new(BufReader::new(reader));
        let writing = tokio::spawn(async move {
            writer
                .write_all(b"one\n\na longer line\nrest")
                .await
                .unwrap();
        });
        for expected in [
            Some("one"),
            Some(""),
            Some("a longer line"),
            Some("rest"),
            None,
        ] {
            assert_eq!(messages.next_line().await.unwrap().as_deref(), expected);
        }
        writing.await.unwrap();
        let mut bad = Messages::new(&b"\xff\n"[..]);
        assert!(bad.next_line().await.is_err());
        let endless = BufReader::new(tokio::io::repeat(b'x'));
        let error = Messages::new(endless).next_line().await.unwrap_err();
        assert!(error.to_string().contains("more than"), "{error}");
    }

    #[tokio::test]
    async fn a_look_that_is_given_up_loses_nothing() {
        let (mut writer, reader) = tokio::io::duplex(64);
        let mut messages = Messages::new(BufReader::new(reader));
        writer.write_all(b"half").await.unwrap();
        tokio::select! {
            biased;
            line = messages.next_line() => panic!("{line:?} came too early"),
            () = tokio::task::yield_now() => {}
        }
        writer.write_all(b" and half\n").await.unwrap();
        assert_eq!(
            messages.next_line().await.unwrap().as_deref(),
            Some("half and half")
        );
    }
}
