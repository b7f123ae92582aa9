#!/bin/sh
# Checks the unit, its user and its folders without installing anything.
# usage: systemd/check.sh [BINARY]      BINARY stands in for /usr/bin/wellspring
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
binary=${1:-/bin/true}
# Exposure as `systemd-analyze security` counts it, times ten: 20 means 2.0 of 10.
threshold=20

if ! command -v systemd-analyze >/dev/null 2>&1; then
    echo "skipped: systemd-analyze is absent (Debian: apt-get install systemd)" >&2
    exit 0
fi
[ -x "$binary" ] || {
    echo "error: $binary is no program; give the path of the wellspring binary, or nothing" >&2
    exit 1
}
binary=$(CDPATH='' cd -- "$(dirname -- "$binary")" && pwd)/$(basename -- "$binary")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# The program need not be installed to check the unit. The example drop-ins are checked with it.
sed "s|^ExecStart=/usr/bin/wellspring |ExecStart=$binary |" "$here/wellspring.service" >"$work/wellspring.service"
grep -q "^ExecStart=$binary " "$work/wellspring.service" || {
    echo "error: wellspring.service has no ExecStart=/usr/bin/wellspring" >&2
    exit 1
}
mkdir "$work/wellspring.service.d"
for example in "$here"/wellspring.service.d/*.conf.example; do
    cp "$example" "$work/wellspring.service.d/$(basename "$example" .example)"
done

# systemd-analyze answers 0 although it ignored a line that it did not understand: only silence is success.
verdict=$(systemd-analyze verify --man=no "$work/wellspring.service" 2>&1) || failed=1
verdict=$(printf '%s\n' "$verdict" | grep wellspring || true)
if [ -n "$verdict" ]; then
    printf '%s\n' "$verdict" >&2
    echo "error: systemd-analyze verify finds fault with wellspring.service" >&2
    failed=1
fi

exposure=$(systemd-analyze security --offline=true --threshold="$threshold" --no-pager "$work/wellspring.service" 2>&1) || {
    printf '%s\n' "$exposure" >&2
    echo "error: wellspring.service is more exposed than $threshold tenths" >&2
    failed=1
}
printf '%s\n' "$exposure" | tail -n 1

# Both programs read only lines that they understand, and say so otherwise.
if command -v systemd-sysusers >/dev/null 2>&1; then
    mkdir -p "$work/root/etc" "$work/root/var/lib"
    if systemd-sysusers --root="$work/root" "$here/wellspring.sysusers.conf" && grep -q '^wellspring:' "$work/root/etc/passwd"; then
        echo "wellspring.sysusers.conf makes the user wellspring"
        if command -v systemd-tmpfiles >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
            systemd-tmpfiles --root="$work/root" --create "$here/wellspring.tmpfiles.conf" || failed=1
            for folder in etc/wellspring/conf.d etc/wellspring/workflows var/lib/wellspring var/cache/wellspring; do
                [ -d "$work/root/$folder" ] || {
                    echo "error: wellspring.tmpfiles.conf does not make /$folder" >&2
                    failed=1
                }
            done
            echo "wellspring.tmpfiles.conf makes its folders"
        else
            echo "skipped: wellspring.tmpfiles.conf (needs root and systemd-tmpfiles)" >&2
        fi
    else
        echo "error: systemd-sysusers finds fault with wellspring.sysusers.conf" >&2
        failed=1
    fi
else
    echo "skipped: wellspring.sysusers.conf and wellspring.tmpfiles.conf (systemd-sysusers is absent)" >&2
fi
exit "$failed"
