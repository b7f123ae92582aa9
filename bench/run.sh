#!/bin/sh
# Measures what the README and the changelog claim.
# usage: bench/run.sh WELLSPRING [PART…]      parts: pipeline batchlib pyramid overhead idle queue page ilastik nuclei networks (all by default), gpu
# The comparisons need python3 with numpy, scipy, scikit-image, h5py, tifffile, onnxruntime (WELLSPRING_PYTHON chooses another python).
# nuclei needs ../shared; WELLSPRING_ONNXRUNTIME names a libonnxruntime.so that runs the networks instead of the built-in engine.
# gpu needs a GPU, which WELLSPRING_BENCH_GPU names (`auto` by default); its comparison CuPy or pyclesperanto.
# Everything is written below a temporary folder and removed again.
set -eu
cd "$(dirname "$0")/.."
binary=$(realpath "$1")
shift
parts=${*:-pipeline batchlib pyramid overhead idle queue page ilastik nuclei networks}
python=${WELLSPRING_PYTHON:-python3}
cargo=$(command -v cargo || echo "$HOME/.cargo/bin/cargo")
for part in $parts; do
    printf '\n== %s\n' "$part"
    case "$part" in
        pipeline) "$python" bench/pipeline.py "$binary" ;;
        batchlib) "$python" bench/batchlib.py "$binary" ;;
        networks) "$python" bench/networks.py "$binary" ;;
        pyramid) "$cargo" run -q --release --locked -p image-io --example pyramid_bench; "$python" bench/pyramid.py ;;
        overhead) "$python" bench/overhead.py "$binary" ;;
        idle) "$python" bench/idle.py "$binary" ;;
        page) "$python" bench/page.py "$binary" ;;
        ilastik) "$python" bench/ilastik.py "$binary" ;;
        nuclei) "$cargo" run -q --release --locked -p workflow --example nuclei_bench -- ${WELLSPRING_ONNXRUNTIME:+"$WELLSPRING_ONNXRUNTIME"}; "$python" bench/nuclei.py ;;
        gpu)
            figures=$(mktemp)
            trap 'rm -f "$figures"' EXIT
            "$cargo" run -q --release --locked -p gpu-kernels --example bench_gpu -- "${WELLSPRING_BENCH_GPU:-auto}" --json "$figures"
            "$python" bench/gpu.py "$figures"
            ;;
        queue) "$cargo" run -q --release --locked -p queue --example queue_bench -- 1000000 ;;
        *) echo "error: no such part: $part" >&2; exit 2 ;;
    esac
done
