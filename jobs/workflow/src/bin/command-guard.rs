//! The guard of `command` jobs as a program of its own, for this crate's tests; `wellspring guard` is the one in use.

fn main() -> std::process::ExitCode {
    workflow::guard()
}
