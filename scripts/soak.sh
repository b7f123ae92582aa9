#!/bin/sh
# The long tests: what `make test` does in minutes, for hours.
# usage: scripts/soak.sh
#   WELLSPRING_SOAK_KILLS=2000   processes to kill in the crash loop
#   WELLSPRING_SOAK_SEED=N       the order of everything; without it a new one is chosen and printed
#   WELLSPRING_STORM_FILES=100000  files of the storms
#   WELLSPRING_SOAK_PLATES=275   plates of 96 image sets, one after another, with
#   WELLSPRING_SOAK_JOBS=40      jobs an image set: a million tasks
set -eu
cd "$(dirname "$0")/.."
PATH="$HOME/.cargo/bin:$PATH"
step() { printf '\n== %s (%s s)\n' "$*" "$(($(date +%s) - start))"; }
start=$(date +%s)

WELLSPRING_SOAK_KILLS=${WELLSPRING_SOAK_KILLS:-2000}
WELLSPRING_SOAK_SEED=${WELLSPRING_SOAK_SEED:-$start}
WELLSPRING_STORM_FILES=${WELLSPRING_STORM_FILES:-100000}
WELLSPRING_SOAK_PLATES=${WELLSPRING_SOAK_PLATES:-275}
WELLSPRING_SOAK_JOBS=${WELLSPRING_SOAK_JOBS:-40}
export WELLSPRING_SOAK_KILLS WELLSPRING_SOAK_SEED WELLSPRING_STORM_FILES WELLSPRING_SOAK_PLATES WELLSPRING_SOAK_JOBS

step "build, with fault injection"
cargo build --locked -p wellspring --features faults
step "crash loop: $WELLSPRING_SOAK_KILLS kills, WELLSPRING_SOAK_SEED=$WELLSPRING_SOAK_SEED"
cargo test --locked -p black-box --test crash_loop -- --nocapture
step "the program as it is shipped"
cargo build --locked --release -p wellspring
WELLSPRING_BINARY=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/release/wellspring
export WELLSPRING_BINARY
step "storm: $WELLSPRING_STORM_FILES files"
cargo test --locked -p watch --test storm -- --nocapture
cargo test --locked -p black-box --test storm -- --nocapture
step "soak: $WELLSPRING_SOAK_PLATES plates, $WELLSPRING_SOAK_JOBS jobs an image set"
cargo test --locked -p black-box --test soak -- --nocapture
step "done"
