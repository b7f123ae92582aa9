#!/bin/sh
# Makes sure that what the build or the tests need is installed.
# usage: scripts/setup.sh build|test
# As root on Debian or Ubuntu missing packages are installed; otherwise the exact command is printed.
set -eu

need=""
want() { # want COMMAND-OR-FILE PACKAGE
    case "$1" in
        /*) [ -e "$1" ] || need="$need $2" ;;
        *) command -v "$1" >/dev/null 2>&1 || need="$need $2" ;;
    esac
}

want cc build-essential
want make build-essential
want cmake cmake
if [ "${1:-build}" = test ]; then
    # Readers of other projects open our files; systemd-analyze judges the unit; software Vulkan stands in for a GPU; the
    # export to PostgreSQL is tried on a server of its own; the web page is tried in a browser, with letters to show.
    want python3 python3
    python=${WELLSPRING_PYTHON:-python3}
    "$python" -c 'import h5py, numpy' 2>/dev/null || python=/usr/bin/python3
    "$python" -c 'import h5py, numpy' 2>/dev/null || need="$need python3-h5py python3-numpy"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || need="$need python3-venv"
    want "${WELLSPRING_CHROMIUM:-/usr/bin/chromium}" chromium
    want /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core
    want systemd-analyze systemd
    want curl curl
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || need="$need postgresql"
    want dpkg-deb dpkg
    want /usr/share/vulkan/icd.d/lvp_icd.x86_64.json mesa-vulkan-drivers
fi

if ! command -v cargo >/dev/null 2>&1; then
    [ -x "$HOME/.cargo/bin/cargo" ] || {
        echo "error: Rust is not installed; see https://rustup.rs (version 1.89 or newer)" >&2
        exit 1
    }
fi

[ -z "$need" ] && exit 0
# shellcheck disable=SC2086
set -- $(printf '%s\n' $need | sort -u)
if ! command -v apt-get >/dev/null 2>&1; then
    echo "error: please install (names as in Debian): $*" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "error: packages are missing; please run:  sudo apt-get install -y --no-install-recommends $*" >&2
    exit 1
fi
echo "installing: $*" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@" >/dev/null
