#!/bin/sh
# Installs Wellspring: program, manual, completions, service, workflows, documentation.
# usage: PREFIX=/usr/local DESTDIR= SYSCONFDIR=/etc packaging/install.sh BINARY
# Nothing is started. A configuration that is there already is kept.
set -eu
umask 022

[ $# -eq 1 ] || {
    echo "usage: PREFIX=/usr/local DESTDIR= packaging/install.sh BINARY" >&2
    exit 2
}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$here/..
binary=$1
prefix=${PREFIX:-/usr/local}
destdir=${DESTDIR:-}
sysconfdir=${SYSCONFDIR:-/etc}

fail() {
    echo "error: $*" >&2
    exit 1
}
[ -f "$binary" ] && [ -x "$binary" ] || fail "$binary is no program; build it first (make build)"
case "$binary" in
    */*) ;;
    *) binary=./$binary ;;
esac
case "$prefix" in
    /*) ;;
    *) fail "PREFIX must be an absolute path, not $prefix" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the program tells about itself, first: if it cannot, nothing is installed.
version=$("$binary" --version) || fail "$binary does not run on this machine"
case "$version" in
    *"fault injection"*) [ "${WELLSPRING_ALLOW_FAULTS:-}" = 1 ] || fail "$binary is built for tests (fault injection is compiled in); build it with \`make build\`" ;;
esac
"$binary" man --dir "$work/man" || fail "\`$binary man --dir\` failed: the manual pages are missing"
[ -s "$work/man/wellspring.1" ] || fail "\`$binary man --dir\` wrote no wellspring.1"
for shell in bash zsh fish; do
    "$binary" completions "$shell" >"$work/$shell" || fail "\`$binary completions $shell\` failed"
    [ -s "$work/$shell" ] || fail "\`$binary completions $shell\` printed nothing"
done
"$binary" config init >"$work/wellspring.toml" || fail "\`$binary config init\` failed: there is no default configuration"
[ -s "$work/wellspring.toml" ] || fail "\`$binary config init\` printed nothing"
if [ "$prefix" != /usr ]; then
    # Shipped workflows are found below the prefix.
    sed "s|^#workflow_dirs = .*|workflow_dirs = [\"$sysconfdir/wellspring/workflows\", \"$prefix/share/wellspring/workflows\"]|" \
        "$work/wellspring.toml" >"$work/edited.toml"
    mv "$work/edited.toml" "$work/wellspring.toml"
fi

put() { # put MODE FILE TARGET
    mkdir -p "$destdir$(dirname "$3")"
    install -m "$1" "$2" "$destdir$3"
}

put 0755 "$binary" "$prefix/bin/wellspring"
for page in "$work"/man/*.1; do
    gzip -9nc "$page" >"$work/page.gz"
    put 0644 "$work/page.gz" "$prefix/share/man/man1/$(basename "$page").gz"
done
put 0644 "$work/bash" "$prefix/share/bash-completion/completions/wellspring"
# Debian's zsh looks in vendor-completions, a self-built one in site-functions.
if [ "$prefix" = /usr ]; then zsh=vendor-completions; else zsh=site-functions; fi
put 0644 "$work/zsh" "$prefix/share/zsh/$zsh/_wellspring"
put 0644 "$work/fish" "$prefix/share/fish/vendor_completions.d/wellspring.fish"

sed "s|^ExecStart=/usr/bin/wellspring serve --config /etc/|ExecStart=$prefix/bin/wellspring serve --config $sysconfdir/|" \
    "$top/systemd/wellspring.service" >"$work/wellspring.service"
put 0644 "$work/wellspring.service" "$prefix/lib/systemd/system/wellspring.service"
put 0644 "$top/systemd/wellspring.sysusers.conf" "$prefix/lib/sysusers.d/wellspring.conf"
put 0644 "$top/systemd/wellspring.tmpfiles.conf" "$prefix/lib/tmpfiles.d/wellspring.conf"

found=0
for workflow in "$top"/config/examples/workflows/*.toml; do
    [ -f "$workflow" ] || continue
    found=1
    put 0644 "$workflow" "$prefix/share/wellspring/workflows/$(basename "$workflow")"
done
[ "$found" -eq 1 ] || fail "there are no workflows in config/examples/workflows"

doc=$prefix/share/doc/wellspring
for example in "$top"/config/examples/*.toml "$top"/systemd/wellspring.service.d/*.example; do
    put 0644 "$example" "$doc/examples/$(basename "$example")"
done
for text in README.md CHANGELOG.md LICENSE LICENSE-MIT; do
    [ ! -f "$top/$text" ] || put 0644 "$top/$text" "$doc/$text"
done
(cd "$top" && find docs -type f -name '*.md' | LC_ALL=C sort) | while read -r text; do
    # With their folder, so that the links of the README hold.
    put 0644 "$top/$text" "$doc/$text"
done

configuration=$sysconfdir/wellspring/wellspring.toml
if [ -e "$destdir$configuration" ]; then
    echo "kept: $destdir$configuration" >&2
else
    put 0644 "$work/wellspring.toml" "$configuration"
fi
mkdir -p "$destdir$sysconfdir/wellspring/conf.d" "$destdir$sysconfdir/wellspring/workflows"

if [ -z "$destdir" ]; then
    cat >&2 <<TEXT
installed in $prefix; to run it as a service:
  systemd-sysusers && systemd-tmpfiles --create
  \$EDITOR $configuration                # add a [[root]]
  systemctl daemon-reload && systemctl enable --now wellspring
TEXT
fi
