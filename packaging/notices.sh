#!/bin/sh
# Prints the licences of everything that is linked into the binary, each text once, with the packages that it covers.
# usage: packaging/notices.sh          (in a checkout that has been built: the sources of the packages must be there)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cargo=${CARGO:-cargo}
command -v "$cargo" >/dev/null 2>&1 || cargo=$HOME/.cargo/bin/cargo
command -v "$cargo" >/dev/null 2>&1 || {
    echo "error: cargo is absent; it knows what the binary is made of" >&2
    exit 1
}
sources=${CARGO_HOME:-$HOME/.cargo}/registry/src
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Packages from a registry only: ours have a path in brackets.
(cd "$here/.." && "$cargo" tree --locked --offline -p wellspring -e normal,build --prefix none --format '{p}|{l}') |
    grep -v '(/' | sed 's/ (\*)$//; s/ (proc-macro)//' | sort -u >"$work/packages"
[ -s "$work/packages" ] || {
    echo "error: cargo tree lists no packages; build first (make build)" >&2
    exit 1
}

mkdir "$work/texts"
while IFS='|' read -r package licence; do
    name=$(printf '%s' "$package" | sed 's/ v/-/')
    folder=$(find "$sources" -maxdepth 2 -type d -name "$name" | head -n 1)
    [ -n "$folder" ] || {
        echo "error: the source of $package is not in $sources; build first (make build)" >&2
        exit 1
    }
    printf '%s (%s)\n' "$package" "$licence" >>"$work/all"
    # Bundled C libraries (HDF5, zlib, libdeflate) keep theirs in folders below.
    find "$folder" -maxdepth 3 -type f \( -iname 'license*' -o -iname 'licence*' -o -iname 'copying*' -o -iname 'notice*' -o -iname 'unlicense*' \) \
        ! -name '*.rs' | LC_ALL=C sort >"$work/found"
    while read -r file; do
        sum=$(sha256sum <"$file" | cut -d ' ' -f 1)
        cp "$file" "$work/texts/$sum"
        printf '%s: %s\n' "$package" "${file#"$folder"/}" >>"$work/texts/$sum.covers"
    done <"$work/found"
done <"$work/packages"

echo "Wellspring is linked with these packages:"
echo
sed 's/^/  /' "$work/all"
LC_ALL=C
export LC_ALL
for covers in "$work"/texts/*.covers; do
    printf '\n%s\n' "--------------------------------------------------------------------------------"
    sed 's/^/  /' "$covers"
    printf '%s\n\n' "--------------------------------------------------------------------------------"
    cat "${covers%.covers}"
done
