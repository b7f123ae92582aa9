#!/bin/sh
# The web page and the API of a real daemon, in a real browser.
# usage: tests/browser/run.sh WELLSPRING SYNTHETIC-PLATE [options of pytest]
set -eu

[ $# -ge 2 ] || {
    echo "usage: tests/browser/run.sh WELLSPRING SYNTHETIC-PLATE [options of pytest]" >&2
    exit 2
}
wellspring=$(realpath "$1")
synthetic=$(realpath "$2")
shift 2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
mkdir -p "$target"
target=$(realpath "$target")
environment=$target/browser-venv

# Made again when what it holds has changed; a half-made one is not taken for a whole one.
if ! cmp -s "$here/requirements.txt" "$environment/requirements.txt"; then
    rm -rf "$environment"
    "${WELLSPRING_PYTHON:-python3}" -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$environment/requirements.txt"
fi

rm -rf "$target/screenshots"
export PYTHONDONTWRITEBYTECODE=1
# What runs on this machine is reached directly.
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
cd "$here"
exec "$environment/bin/python" -m pytest --rootdir=. -p no:cacheprovider \
    --chromium="${WELLSPRING_CHROMIUM:-/usr/bin/chromium}" --screenshots="$target/screenshots" \
    --wellspring="$wellspring" --synthetic-plate="$synthetic" "$@"
