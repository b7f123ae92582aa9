//! What the commands print: data on stdout, messages on stderr, and a closed pipe is no error.

use std::io::Write;
use std::process::ExitCode;

/// Writes to stdout; ends quietly when the reader has gone.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        let quiet = error.kind() == std::io::ErrorKind::BrokenPipe;
        std::process::exit(i32::from(!quiet));
    }
}

/// Writes a line to stdout.
pub fn line(text: impl AsRef<str>) {
    print(&format!("{}\n", text.as_ref()));
}

/// Writes JSON to stdout.
pub fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Writes a message to stderr.
pub fn note(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}

/// Prints an error with its causes; the exit code is 1.
pub fn fail(error: &anyhow::Error) -> ExitCode {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    note(format!("error: {text}"));
    if let Some(remedy) = remedy(error) {
        note(format!("hint: {remedy}"));
    }
    ExitCode::from(1)
}

/// What a person can do about an error, where one of its causes says so.
pub fn remedy(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let queue = cause
            .downcast_ref::<queue::Error>()
            .and_then(queue::Error::remedy);
        let engine = || cause.downcast_ref::<engine::Error>()?.remedy();
        let project = || Some(cause.downcast_ref::<ilastik::Error>()?.remedy().to_owned());
        let network = || Some(cause.downcast_ref::<networks::Error>()?.remedy().to_owned());
        let export = || Some(cause.downcast_ref::<report::Error>()?.remedy().to_owned());
        let file = || Some(cause.downcast_ref::<image_io::Error>()?.remedy().to_owned());
        queue
            .or_else(engine)
            .or_else(project)
            .or_else(network)
            .or_else(export)
            .or_else(file)
    })
}
