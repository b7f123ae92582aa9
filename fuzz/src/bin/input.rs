//! Runs a target on files: `fuzz-input TARGET FILE...`, to look at a finding; without arguments it lists the targets.
//!
//! Before each file its name is printed, so that whoever started this process knows which one ended it.

use std::io::Write;
use std::process::ExitCode;

/// Address space of a process for C code, whose allocations are bounded by nothing else.
const MEMORY: u64 = 6 << 30;

/// Its time on the processor: some damaged files keep the HDF5 library busy for ever.
const SECONDS: u64 = 30;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(target) = fuzz::target(&name.to_string_lossy()) else {
        for target in &fuzz::TARGETS {
            println!("{}", target.name);
        }
        return ExitCode::from(2);
    };
    if target.apart {
        use rustix::process::Resource;
        for (resource, most) in [(Resource::As, MEMORY), (Resource::Cpu, SECONDS)] {
            let limit = rustix::process::Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            if let Err(error) = rustix::process::setrlimit(resource, limit) {
                eprintln!("{resource:?} cannot be limited: {error}");
            }
        }
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
