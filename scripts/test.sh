#!/bin/sh
# Everything that CI runs, from a clean clone or not.
set -eu
cd "$(dirname "$0")/.."
PATH="$HOME/.cargo/bin:$PATH"
# The packages of the test set-up are those of the system's Python, which need not be the first in PATH.
if [ -z "${WELLSPRING_PYTHON:-}" ] && ! python3 -c 'import h5py, numpy' 2>/dev/null; then
    export WELLSPRING_PYTHON=/usr/bin/python3
fi
# What only helps the next build costs time and space in one that has no next.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
step() { printf '\n== %s (%s s)\n' "$*" "$(($(date +%s) - start))"; }
start=$(date +%s)

step "format"
cargo fmt --all --check
# The tests drive a program in which faults can be planted; only the crate `faults` is another in the one that is shipped.
step "lints"
cargo clippy --workspace --all-targets --locked --features wellspring/faults -- -D warnings
cargo clippy -p faults --all-targets --locked -- -D warnings
step "build, with fault injection"
cargo build --locked -p wellspring -p black-box --features wellspring/faults
step "unit tests and black-box tests"
cargo test --workspace --locked --features wellspring/faults
step "the build without a GPU library"
cargo check --locked -p wellspring --no-default-features
step "service unit"
sh systemd/check.sh
step "package"
sh packaging/test-deb.sh "${CARGO_TARGET_DIR:-target}/debug/wellspring"
step "done"
