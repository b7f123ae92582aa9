#!/bin/sh
# The long tests: what `make test` does in minutes, for hours.
# usage: scripts/soak.sh
#   WELLSPRING_SOAK_KILLS=2000   processes to kill in the crash loop
#   WELLSPRING_SOAK_SEED=N       the order of everything; without it a new one is chosen and printed
set -eu
cd "$(dirname "$0")/.."
PATH="$HOME/.cargo/bin:$PATH"
step() { printf '\n== %s (%s s)\n' "$*" "$(($(date +%s) - start))"; }
start=$(date +%s)

WELLSPRING_SOAK_KILLS=${WELLSPRING_SOAK_KILLS:-2000}
WELLSPRING_SOAK_SEED=${WELLSPRING_SOAK_SEED:-$start}
export WELLSPRING_SOAK_KILLS WELLSPRING_SOAK_SEED

step "build, with fault injection"
cargo build --locked -p wellspring --features faults
step "crash loop: $WELLSPRING_SOAK_KILLS kills, WELLSPRING_SOAK_SEED=$WELLSPRING_SOAK_SEED"
cargo test --locked -p black-box --test crash_loop -- --nocapture
step "done"
