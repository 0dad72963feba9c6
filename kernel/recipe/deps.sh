#!/bin/sh
# Install the Debian packages that foldwatch needs and that are not there yet.
# Usage: deps.sh run|images|check     what the packages are for:
#   run     build foldwatch, build kernels, boot them
#   images  as run, for prebuilt kernel images: no kernel source, no kernel build
#   check   as run, and everything that the tests use
# YES=1 does not ask. Without a terminal nobody is asked.
set -eu

goal=${1:-run}

say() { printf '%s\n' "$*" >&2; }
die() { say "foldwatch: $*"; exit 1; }

# package: what for
build='gcc libc6-dev make pkgconf ca-certificates git
	libmicrohttpd-dev libsqlite3-dev libjansson-dev libcurl4-gnutls-dev libgnutls28-dev
	libgsl-dev libarchive-dev libzstd-dev libelf-dev libdw-dev zlib1g-dev
	gcc-aarch64-linux-gnu libc6-dev-arm64-cross'
boot='qemu-system-arm'
# bubblewrap is the build sandbox; mkfs.xfs makes the disk of a boot that validates;
# the rest is what a kernel build calls
kernel='bubblewrap xfsprogs ccache bc flex bison xz-utils perl rsync cpio kmod libssl-dev'
source='linux-source-6.12'
check='libcmocka-dev clang clang-format clang-tidy cppcheck shellcheck mandoc chromium curl
	sqlite3 procps iproute2 libclang-rt-14-dev patch'

case $goal in
run) want="$build $boot $kernel" ; [ -n "${TREE-}" ] || want="$want $source" ;;
images) want="$build $boot" ;;
check) want="$build $boot $kernel $source $check" ;;
*) die "deps.sh: \"$goal\" is none of run, images, check" ;;
esac

command -v dpkg-query >/dev/null 2>&1 || die "this installs Debian packages and dpkg is not here; install by hand: $want"

missing=
for p in $want; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $p"
done
# uPlot (and Playwright for the tests) come from npm. A nodejs from elsewhere
# brings an npm of its own that Debian's package conflicts with, so only a
# machine without the command gets the package.
command -v npm >/dev/null 2>&1 || missing="$missing npm"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
missing=${missing# }
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 ||
		die "missing packages and neither root nor sudo to install them: apt-get install $missing"
	as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

apt() { $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get "$@"; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "foldwatch: asking Debian's package lists"
# One broken foreign repository must not stop Debian's: what decides is
# whether the packages can be had.
apt update >"$log" 2>&1 || true
# shellcheck disable=SC2086
if ! plan=$(apt-get install --no-install-recommends --assume-no $missing 2>&1) &&
	! printf '%s\n' "$plan" | grep -q '^Need to get\|newly installed'; then
	bad=$(printf '%s\n' "$plan" | sed -n 's/^E: //p' | head -n 1)
	if grep -qE 'Temporary failure resolving|Could not (connect|resolve)|Failed to fetch' "$log"; then
		die "no network to Debian's packages (${bad:-apt-get update failed}); needed: $missing"
	fi
	# Lists that could not be had are the cause, packages not found the effect.
	lists=$(sed -n 's/^E: //p' "$log" | head -n 1)
	die "apt-get cannot install what is needed (${bad:-unknown reason}${lists:+; apt-get update: $lists}): $missing"
fi
size=$(printf '%s\n' "$plan" | sed -n 's/^Need to get \(.*\) of archives.*/\1/p; s/^After this operation, \(.*\) of additional.*/\1/p' | paste -sd'|' | sed 's/|/ to fetch, /')
say "foldwatch: packages to install: $missing"
say "foldwatch: ${size:-size unknown} on disk"
case $goal in
run) say "foldwatch: two kernel builds take about 3 GB in the state directory and some 20 core-minutes the first time" ;;
check) say "foldwatch: the tests build two kernels: about 3 GB and some 20 core-minutes" ;;
esac
if [ -t 0 ] && [ -t 2 ] && [ -z "${YES-}" ]; then
	printf 'Install them now? [Y/n] ' >&2
	read -r answer || answer=n
	case $answer in
	'' | [yY]*) ;;
	*) die "nothing was installed" ;;
	esac
fi
# shellcheck disable=SC2086
if ! apt install -y --no-install-recommends $missing >"$log" 2>&1; then
	tail -n 5 "$log" >&2
	if grep -q 'No space left on device' "$log"; then
		die "the disk is full: packages could not be installed"
	fi
	if grep -qE 'Temporary failure resolving|Could not (connect|resolve)|Failed to fetch' "$log"; then
		die "no network to Debian's packages; needed: $missing"
	fi
	die "apt-get install failed; needed: $missing"
fi
say "foldwatch: installed"
