#!/bin/sh
# Builds a Debian package from a binary that is built already, with dpkg-deb and nothing else.
# usage: packaging/deb.sh BINARY OUTDIR VERSION     (DEB_MAINTAINER="Name <address>" signs it)
set -eu
umask 022

[ $# -eq 3 ] || {
    echo "usage: packaging/deb.sh BINARY OUTDIR VERSION" >&2
    exit 2
}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
binary=$1
outdir=$2
version=$3

fail() {
    echo "error: $*" >&2
    exit 1
}
command -v dpkg-deb >/dev/null 2>&1 || fail "dpkg-deb is absent (Debian: apt-get install dpkg)"
[ -f "$binary" ] && [ -x "$binary" ] || fail "$binary is no program; build it first (make build)"
case "$version" in
    [0-9]*) ;;
    *) fail "$version is no version; it must begin with a digit" ;;
esac
# `0.2.0-rc.1` comes before `0.2.0`: Debian writes that with a tilde.
version=$(printf '%s' "$version" | sed 's/-/~/')

# The same commit gives the same package, byte for byte.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$here" log -1 --format=%ct 2>/dev/null || date +%s)
fi
export SOURCE_DATE_EPOCH

maintainer=${DEB_MAINTAINER:-The Wellspring developers <wellspring@localhost>}
arch=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/stage
mkdir -p "$stage/DEBIAN"

PREFIX=/usr DESTDIR=$stage SYSCONFDIR=/etc sh "$here/install.sh" "$binary"

doc=$stage/usr/share/doc/wellspring
# Debian has its own place for licences.
rm -f "$doc/LICENSE" "$doc/LICENSE-MIT"
install -m 0644 "$here/debian/copyright" "$doc/copyright"
sh "$here/notices.sh" >"$work/third-party.txt"
gzip -9nc "$work/third-party.txt" >"$doc/third-party.txt.gz"
changelog() {
    cat <<TEXT
wellspring ($version) unstable; urgency=medium

  * Version $version. What has changed is in CHANGELOG.md of the project.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
TEXT
}
changelog | gzip -9n >"$doc/changelog.gz"
if [ -f "$doc/CHANGELOG.md" ]; then
    gzip -9n "$doc/CHANGELOG.md"
fi
mkdir -p "$stage/usr/share/lintian/overrides"
install -m 0644 "$here/debian/lintian-overrides" "$stage/usr/share/lintian/overrides/wellspring"

# The libraries that the binary asks for, in the versions that it needs.
depends=
if command -v dpkg-shlibdeps >/dev/null 2>&1; then
    mkdir -p "$work/shlibs/debian"
    printf 'Source: wellspring\n\nPackage: wellspring\nArchitecture: any\n' >"$work/shlibs/debian/control"
    if shlibs=$(cd "$work/shlibs" && dpkg-shlibdeps -O "$stage/usr/bin/wellspring" 2>"$work/shlibs/errors"); then
        depends=$(printf '%s\n' "$shlibs" | sed -n 's/^shlibs:Depends=//p')
    else
        cat "$work/shlibs/errors" >&2
        fail "dpkg-shlibdeps cannot tell what $binary needs"
    fi
else
    glibc=$(grep -ao 'GLIBC_2\.[0-9][0-9]*' "$binary" | sort -u -t . -k 2 -n | tail -n 1 | sed 's/GLIBC_//')
    [ -z "$glibc" ] || depends="libc6 (>= $glibc), libgcc-s1"
fi

size=$(du -sk --exclude=DEBIAN "$stage" | cut -f 1)
{
    echo "Package: wellspring"
    echo "Version: $version"
    echo "Architecture: $arch"
    echo "Maintainer: $maintainer"
    echo "Installed-Size: $size"
    [ -z "$depends" ] || echo "Depends: $depends"
    echo "Recommends: systemd"
    echo "Suggests: mesa-vulkan-drivers"
    echo "Section: science"
    echo "Priority: optional"
    echo "Description: processes microscope images while the plate is being acquired"
    cat <<'TEXT'
 Wellspring watches acquisition folders. As images arrive it runs prediction,
 segmentation and analysis on them, and writes the results of each image into
 one HDF5 container with multiscale pyramids, label images and tables.
 .
 The service keeps its queue on disk: nothing is lost or done twice, whatever
 crashes. Progress is shown in a browser and over HTTP; what failed is requeued
 with one command.
TEXT
} >"$stage/DEBIAN/control"
echo /etc/wellspring/wellspring.toml >"$stage/DEBIAN/conffiles"
for script in postinst prerm postrm; do
    install -m 0755 "$here/debian/$script" "$stage/DEBIAN/$script"
done
(cd "$stage" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' md5sum) >"$stage/DEBIAN/md5sums"
chmod 0644 "$stage/DEBIAN/control" "$stage/DEBIAN/conffiles" "$stage/DEBIAN/md5sums"
find "$stage" -type d -exec chmod 0755 {} +
# Files that were made just now would otherwise carry the time of the build.
find "$stage" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$outdir"
package=$outdir/wellspring_${version}_$arch.deb
# Written aside and renamed: an interrupted build leaves no half package.
dpkg-deb --root-owner-group -Zxz -z"${WELLSPRING_DEB_LEVEL:-6}" --build "$stage" "$package.part" >/dev/null
mv "$package.part" "$package"
echo "$package"
