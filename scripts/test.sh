#!/bin/sh
# Everything that CI runs, from a clean clone or not. A step that fails does not keep the others from running: one run shows
# all there is to mend.
set -u
cd "$(dirname "$0")/.."
PATH="$HOME/.cargo/bin:$PATH"
# The packages of the test set-up are those of the system's Python, which need not be the first in PATH.
if [ -z "${WELLSPRING_PYTHON:-}" ] && ! python3 -c 'import h5py, numpy' 2>/dev/null; then
    export WELLSPRING_PYTHON=/usr/bin/python3
fi
# What only helps the next build costs time and space in one that has no next.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
# Kernels are tested on software Vulkan, which the set-up installs: a machine without it must not look like one that passed.
export WELLSPRING_TEST_GPU="${WELLSPRING_TEST_GPU:-llvmpipe}"
# Many tests wait more than they compute.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-$(($(nproc) * 2))}"
target=${CARGO_TARGET_DIR:-target}
start=$(date +%s)
failed=
step() {
    what=$1
    shift
    printf '\n== %s (%s s)\n' "$what" "$(($(date +%s) - start))"
    "$@" && return
    failed="$failed
  $what"
    return 1
}

step "format" cargo fmt --all --check
# The tests drive a program in which faults can be planted; only the crate `faults` is another in the one that is shipped.
step "lints" cargo clippy --workspace --all-targets --locked --features wellspring/faults -- -D warnings
step "lints without fault injection" cargo clippy -p faults --all-targets --locked -- -D warnings
# Without the programs there is nothing to test, and what is left from before must not be tested in their place.
if step "build, with fault injection" cargo build --locked -p wellspring -p black-box --features wellspring/faults; then
    step "unit tests and black-box tests" cargo test --workspace --no-fail-fast --locked --features wellspring/faults
    step "the web page and the API in a browser" \
        sh tests/browser/run.sh "$target/debug/wellspring" "$target/debug/synthetic-plate" --quiet
    step "service unit" sh systemd/check.sh
    step "package" sh packaging/test-deb.sh "$target/debug/wellspring"
fi
step "the build without a GPU library" cargo check --locked -p wellspring --no-default-features
step "done" true
if [ -n "$failed" ]; then
    printf 'failed:%s\n' "$failed" >&2
    exit 1
fi
