#!/bin/sh
# Fuzzes the targets of fuzz/ one after the other, guided by coverage. Findings stop the target and are named.
# usage: scripts/fuzz.sh [SECONDS [TARGET...]]     60 seconds each unless said; all targets unless named
#
# No other compiler than the stable one is needed: coverage comes from LLVM's own pass, libFuzzer from the crate libfuzzer-sys.
set -eu
cd "$(dirname "$0")/.."
PATH="$HOME/.cargo/bin:$PATH"
seconds=${1:-60}
[ $# -gt 0 ] && shift

host=$(rustc -vV | sed -n 's/^host: //p')
build=${CARGO_TARGET_DIR:-target}/fuzz-guided
work=${CARGO_TARGET_DIR:-target}/fuzz-work
# With --target the flags do not reach build scripts, which have no fuzzer to report to.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --locked --profile fuzz --target "$host" --target-dir "$build" -p fuzz --features guided --bin fuzz-guided
program=$build/$host/fuzz/fuzz-guided

failed=0
[ $# -gt 0 ] || set -- $(ls fuzz/corpus)
for target in "$@"; do
    [ -d "fuzz/corpus/$target" ] || {
        echo "error: there is no target $target; there are: $(ls fuzz/corpus | tr '\n' ' ')" >&2
        exit 2
    }
    mkdir -p "$work/$target" "$work/findings"
    echo "== $target ($seconds s)"
    # In `container` crashes and hangs of the C library are no findings: the product runs it in workers with limits.
    case $target in
        container) more="-fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1" ;;
        *) more= ;;
    esac
    # shellcheck disable=SC2086  # the options are words
    FUZZ_TARGET=$target "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=65536 \
        -print_final_stats=1 -verbosity=1 -artifact_prefix="$work/findings/$target-" $more \
        "$work/$target" "fuzz/corpus/$target" >"$work/$target.log" 2>&1 || {
        # 70: it stopped at a time limit that was ignored.
        [ "$target $?" = "container 70" ] && continue
        failed=1
        echo "finding in $target:"
        grep -v '^#' "$work/$target.log" | grep -E 'panicked|ERROR|SUMMARY|Test unit written|took' | head -n 8
    }
    grep -E '^#[0-9]+' "$work/$target.log" | tail -n 1
    grep -E 'stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)' "$work/$target.log" || true
done
[ "$failed" -eq 0 ] || echo "findings lie in $work/findings; see CONTRIBUTING.md for what to do with them" >&2
exit "$failed"
