#!/bin/sh
# From TIFF files to results on a synthetic plate with known cells, in front of your eyes.
# usage: scripts/demo.sh WELLSPRING SYNTHETIC-PLATE   (both programs built; `make demo` does that)
set -eu

wellspring=$(realpath "$1")
synthetic=$(realpath "$2")
repo=$(cd "$(dirname "$0")/.." && pwd)
work=${WELLSPRING_DEMO_DIR:-$(dirname "$(dirname "$wellspring")")/demo}
corrupt=5

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

rm -rf "$work"
mkdir -p "$work/drop" "$work/results" "$work/state"
cat > "$work/wellspring.toml" <<EOF
[state]
dir = "$work/state"

[server]
listen = "127.0.0.1:${WELLSPRING_DEMO_PORT:-0}"

[workers]
count = "auto"

[[root]]
path = "$work/drop"
output = "$work/results"
workflow = "$repo/config/examples/workflows/nuclei-and-cells.toml"
naming = "batchlib"
plate_complete = ["quiet:6"]
settle_secs = 1
EOF

say "1. Start the daemon on an empty folder"
"$wellspring" serve --config "$work/wellspring.toml" 2> "$work/daemon.log" &
daemon=$!
trap 'kill $daemon 2>/dev/null || true' EXIT INT TERM
export WELLSPRING_CONFIG="$work/wellspring.toml"
tries=0
until "$wellspring" status >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! kill -0 $daemon 2>/dev/null; then
        echo "error: the daemon did not start; its log:" >&2
        cat "$work/daemon.log" >&2
        exit 1
    fi
    sleep 0.1
done
address=$(cat "$work/state/address")
echo "daemon is up; the page is $address"

say "2. A microscope writes a plate: 3 x 4 wells, 2 sites, slowly, each file half-written first; one file stays broken"
"$synthetic" "$work/drop/demo-plate" --slow 200 --corrupt $corrupt --truth "$work/truth.json" &
microscope=$!
sleep 1
"$wellspring" watch --until-done --timeout 90 || true
wait $microscope

say "3. One bad file did not stop the plate; it is listed with its reason"
"$wellspring" plates list
"$wellspring" tasks list --state failed

say "4. The file is repaired and the failed tasks are requeued"
"$synthetic" "$work/drop/demo-plate" --only $corrupt
"$wellspring" tasks requeue --failed --yes || true
# The repaired content settles, replaces the broken one, and the plate's tables are made again.
"$wellspring" plates wait demo-plate --state done --timeout 60
"$wellspring" plates list

say "5. Counted nuclei against the truth"
"$wellspring" inspect --table images/default "$work/results/demo-plate/demo-plate_table.hdf5" --json > "$work/images.json"
"$synthetic" --compare "$work/truth.json" "$work/images.json"

say "Done"
echo "results      $work/results/demo-plate"
echo "plate table  $work/results/demo-plate/demo-plate_table.hdf5"
echo "page         $address   (runs until this command ends; start it again with:"
echo "             $wellspring serve --config $work/wellspring.toml)"
kill $daemon
wait $daemon || true
