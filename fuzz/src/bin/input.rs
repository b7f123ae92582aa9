//! Runs a target on files: `fuzz-input TARGET FILE...`, to look at a finding; without arguments it lists the targets.
//!
//! Before each file its name is printed, so that whoever started this process knows which one ended it.

use std::io::Write;
use std::process::ExitCode;

/// Address space of this process: what C code allocates is bounded by nothing else.
const MEMORY: u64 = 6 << 30;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(target) = fuzz::target(&name.to_string_lossy()) else {
        for target in &fuzz::TARGETS {
            println!("{}", target.name);
        }
        return ExitCode::from(2);
    };
    let limit = rustix::process::Rlimit {
        current: Some(MEMORY),
        maximum: Some(MEMORY),
    };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::As, limit) {
        eprintln!("the address space cannot be limited: {error}");
    }
    for file in arguments {
        println!("{}", file.to_string_lossy());
        if std::io::stdout().flush().is_err() {
            return ExitCode::FAILURE;
        }
        match std::fs::read(&file) {
            Ok(input) => fuzz::run(target, &input),
            Err(error) => {
                eprintln!("cannot read {}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
