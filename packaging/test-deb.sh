#!/bin/sh
# Builds the package and takes it apart again.
# usage: packaging/test-deb.sh BINARY
set -eu

[ $# -eq 1 ] || {
    echo "usage: packaging/test-deb.sh BINARY" >&2
    exit 2
}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
binary=$1
if ! command -v dpkg-deb >/dev/null 2>&1; then
    echo "skipped: dpkg-deb is absent" >&2
    exit 0
fi
# Three packages are built, of a program with its debugging information: how small they are does not matter.
export WELLSPRING_DEB_LEVEL=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "error: $*" >&2
    exit 1
}

# The program under test may be the one for tests. It is refused, but for this test.
case "$("$binary" --version)" in
    *"fault injection"*)
        if sh "$here/deb.sh" "$binary" "$work/refused" 1.0.0 2>"$work/why"; then
            fail "a program with fault injection was packaged"
        fi
        grep -q "built for tests" "$work/why" || fail "the refusal does not say why"
        WELLSPRING_ALLOW_FAULTS=1
        export WELLSPRING_ALLOW_FAULTS
        ;;
esac

version=1.2.3-rc.1
package=$(sh "$here/deb.sh" "$binary" "$work/out" "$version" | tail -n 1)
[ -f "$package" ] || fail "deb.sh has built no package"
echo "built $(basename "$package"), $(du -k "$package" | cut -f 1) KiB"

# The control file.
[ "$(dpkg-deb -f "$package" Package)" = wellspring ] || fail "wrong name"
[ "$(dpkg-deb -f "$package" Version)" = "1.2.3~rc.1" ] || fail "wrong version: $(dpkg-deb -f "$package" Version)"
dpkg --compare-versions "$(dpkg-deb -f "$package" Version)" lt 1.2.3 || fail "a candidate must come before its release"
dpkg-deb -I "$package" >"$work/info"
for part in conffiles control md5sums postinst postrm prerm; do
    grep -q " $part" "$work/info" || fail "the package has no $part"
done

# What is in it, to whom it belongs, and that nothing of this machine is.
dpkg-deb -c "$package" >"$work/contents"
for file in usr/bin/wellspring usr/lib/systemd/system/wellspring.service usr/lib/sysusers.d/wellspring.conf \
    usr/lib/tmpfiles.d/wellspring.conf etc/wellspring/wellspring.toml usr/share/man/man1/wellspring.1.gz \
    usr/share/bash-completion/completions/wellspring usr/share/zsh/vendor-completions/_wellspring \
    usr/share/fish/vendor_completions.d/wellspring.fish usr/share/doc/wellspring/copyright \
    usr/share/doc/wellspring/third-party.txt.gz usr/share/doc/wellspring/docs/reference/configuration.md \
    usr/share/doc/wellspring/examples/paths.conf.example; do
    grep -q " \./$file\$" "$work/contents" || fail "/$file is missing"
done
grep -q ' \./usr/share/wellspring/workflows/.*\.toml$' "$work/contents" || fail "there are no workflows"
if grep -v ' root/root ' "$work/contents"; then
    fail "these files do not belong to root"
fi
if grep -E '^-.......w|^-....w' "$work/contents"; then
    fail "these files can be written by others"
fi
[ "$(dpkg-deb --ctrl-tarfile "$package" | tar -xO ./conffiles)" = /etc/wellspring/wellspring.toml ] || fail "the configuration is not marked as such"

# It unpacks, its checksums hold, and it runs.
dpkg-deb -R "$package" "$work/tree"
(cd "$work/tree" && md5sum --quiet -c DEBIAN/md5sums) || fail "checksums do not hold"
for script in postinst prerm postrm; do
    sh -n "$work/tree/DEBIAN/$script" || fail "$script is no shell script"
done
gzip -t "$work"/tree/usr/share/man/man1/*.gz "$work"/tree/usr/share/doc/wellspring/*.gz
"$work/tree/usr/bin/wellspring" --version
env -i PATH="$PATH" "$work/tree/usr/bin/wellspring" config check --config "$work/tree/etc/wellspring/wellspring.toml" ||
    fail "the default configuration is refused by the program"
for workflow in "$work"/tree/usr/share/wellspring/workflows/*.toml; do
    "$work/tree/usr/bin/wellspring" workflow check "$workflow" >/dev/null || fail "$workflow is refused by the program"
done
grep -q '^ExecStart=/usr/bin/wellspring serve --config /etc/wellspring/wellspring.toml$' \
    "$work/tree/usr/lib/systemd/system/wellspring.service" || fail "the unit starts another program"

# The same input gives the same package.
again=$(SOURCE_DATE_EPOCH=1700000000 sh "$here/deb.sh" "$binary" "$work/a" "$version" | tail -n 1)
twice=$(SOURCE_DATE_EPOCH=1700000000 sh "$here/deb.sh" "$binary" "$work/b" "$version" | tail -n 1)
cmp "$again" "$twice" || fail "two builds of the same input differ"

# `make install` elsewhere: the unit and the configuration follow the prefix, and a configuration of the owner is kept.
PREFIX=/opt/wellspring DESTDIR=$work/dest SYSCONFDIR=/etc sh "$here/install.sh" "$binary"
unit=$work/dest/opt/wellspring/lib/systemd/system/wellspring.service
grep -q '^ExecStart=/opt/wellspring/bin/wellspring serve ' "$unit" || fail "the installed unit ignores PREFIX"
grep -q '^workflow_dirs = .*"/opt/wellspring/share/wellspring/workflows"' "$work/dest/etc/wellspring/wellspring.toml" ||
    fail "the installed configuration ignores PREFIX"
echo '# mine' >"$work/dest/etc/wellspring/wellspring.toml"
PREFIX=/opt/wellspring DESTDIR=$work/dest SYSCONFDIR=/etc sh "$here/install.sh" "$binary" 2>/dev/null
[ "$(cat "$work/dest/etc/wellspring/wellspring.toml")" = '# mine' ] || fail "install.sh has overwritten a configuration"

# A program that cannot describe itself is refused, and nothing is left behind.
printf '#!/bin/sh\n[ "$1" = --version ]\n' >"$work/mute"
chmod +x "$work/mute"
if sh "$here/deb.sh" "$work/mute" "$work/none" "$version" >/dev/null 2>"$work/refused"; then
    fail "a program without manual pages was packaged"
fi
grep -q 'man --dir' "$work/refused" || fail "the refusal does not say why"
[ ! -e "$work/none" ] || fail "a refused build has left something behind"

sh "$here/../systemd/check.sh" "$work/tree/usr/bin/wellspring"
if command -v lintian >/dev/null 2>&1; then
    lintian --fail-on error --tag-display-limit 0 "$package"
else
    echo "skipped: lintian is absent" >&2
fi
echo "the package is right"
