//! How questions and answers travel: a question is a line of JSON; an answer is a line of JSON that tells how many bytes follow.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Answer, Question, Refusal};

/// The first line of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// So many bytes follow.
    Content {
        /// Media type.
        kind: String,
        /// Number of bytes.
        length: usize,
        /// What belongs to it.
        meta: Value,
    },
    /// There is no answer; nothing follows.
    Refused(Refusal),
}

/// Answers questions with `answer` until the input ends, which is how the daemon says goodbye and what its death looks like.
///
/// # Errors
/// The output cannot be written to: the daemon is gone.
pub fn serve(
    input: impl BufRead,
    mut output: impl Write,
    mut answer: impl FnMut(&Question) -> Result<Answer, Refusal>,
) -> std::io::Result<()> {
    for line in input.lines() {
        let question: Question = serde_json::from_str(&line?)?;
        let (head, bytes) = match answer(&question) {
            Ok(Answer { kind, bytes, meta }) => (
                Head::Content {
                    kind,
                    length: bytes.len(),
                    meta,
                },
                bytes,
            ),
            Err(refusal) => (Head::Refused(refusal), Vec::new()),
        };
        let mut line = serde_json::to_vec(&head)?;
        line.push(b'\n');
        output.write_all(&line)?;
        output.write_all(&bytes)?;
        output.flush()?;
    }
    Ok(())
}
