#!/bin/sh
# Build an arm64 kernel of Debian's linux-source-6.12 from named fragments, once,
# and print the directory that has its Image, vmlinux and .config. For tests and
# development: the agent does the same in a sandbox, from any tree.
#
# Usage: build-once.sh [-c] [-p PATCH]... SET[+SET]...
#   -c  do not build: exit 3 when it is not there yet
#   -p  a patch to be applied to the source
# A SET is a line of kernel/config/sets, or a fragment's own name.
#
# KERNELS names the directory that kernels are kept in, outside the tree (without
# it, foldwatch/kernels in the user's cache). There a kernel's key is a hash over
# the version of the source package, the compiler, the lines of the configuration
# and the patches: what was built from the same is not built again.
set -eu

usage() {
	sed -n 's/^# \{0,1\}//; 2,/^set -eu/p' "$0" | sed '/^set -eu/,$d' >&2
	exit 2
}
say() { printf '%s\n' "$*" >&2; }
die() { say "build-once: $*"; exit 1; }

look='' patches=''
while getopts cp: o; do
	case $o in
	c) look=1 ;;
	p) patches="$patches $(realpath "$OPTARG")" || exit 1 ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 1 ] || usage
sets=$1
cd "$(dirname "$0")/../.."
config=kernel/config
kernels=${KERNELS:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/foldwatch/kernels}
tar=/usr/src/linux-source-6.12.tar.xz
cross=aarch64-linux-gnu-

# The fragments of a name, `virt` before all, each once.
fragments() {
	echo virt
	printf '%s\n' "$1" | tr '+' '\n' | while read -r name; do
		line=$(sed 's/#.*//' $config/sets | awk -v n="$name" '$1 == n && $2 == "=" { $1 = $2 = ""; print }')
		if [ -n "$line" ]; then
			printf '%s\n' "$line" | tr ' ' '\n' | grep .
		elif [ -r "$config/$name.config" ]; then
			echo "$name"
		else
			die "there is no set and no fragment \"$name\""
		fi
	done
}
list=$(fragments "$sets") || exit 1
list=$(printf '%s\n' "$list" | awk '!seen[$0]++')
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for f in $list; do
	echo "# -- $f"
	cat "$config/$f.config"
done >"$tmp/asked.config"

version=$(dpkg-query -W -f '${Version}' linux-source-6.12 2>/dev/null) || version=none
compiler=$(${cross}gcc --version 2>/dev/null | head -n 1) || compiler=none
# shellcheck disable=SC2086
key=$({ printf '%s\n%s\n' "$version" "$compiler"
	grep -E '^(CONFIG_|# CONFIG_.* is not set)' "$tmp/asked.config"
	cat /dev/null $patches; } | sha256sum | cut -c1-16)
done=$kernels/$(printf '%s' "$sets" | tr -c 'a-z0-9.+-' '_')-$key
if [ -r "$done/Image" ]; then
	printf '%s\n' "$done"
	exit 0
fi
[ -z "$look" ] || exit 3
[ -r "$tar" ] || die "$tar is missing (Debian package linux-source-6.12)"

mkdir -p "$kernels"
# One build at a time, always in the same two places: a path is part of what the
# compiler's cache goes by, and of what is mapped away.
exec 9>"$kernels/lock"
flock 9
whole=$kernels/source-$version src=$kernels/src out=$kernels/out
if [ ! -d "$whole" ]; then
	say "build-once: unpacking linux-source-6.12 $version"
	rm -rf "$whole.new"
	mkdir "$whole.new"
	tar -xf "$tar" -C "$whole.new" --strip-components=1 --no-same-owner
	mv "$whole.new" "$whole"
fi
rm -rf "$src" "$out" "$done.new"
mkdir -p "$out" "$done.new"
# Links to what stays as it is: patch(1) writes a file anew.
cp -al "$whole" "$src"
for p in $patches; do
	patch -d "$src" -p1 -s --no-backup-if-mismatch <"$p" ||
		die "\"$p\" does not apply to linux-source-6.12 $version"
done

# A make that calls this has words of its own, which are none of the kernel's.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
ccache=''
! command -v ccache >/dev/null 2>&1 || ccache='ccache '
# What the agent pins, and where it maps the two directories to.
kmake() {
	make --no-print-directory -s -C "$src" "-j${JOBS:-$(nproc)}" O="$out" ARCH=arm64 LOCALVERSION= \
		KBUILD_BUILD_USER=foldwatch KBUILD_BUILD_HOST=foldwatch KBUILD_BUILD_VERSION=1 \
		'KBUILD_BUILD_TIMESTAMP=Mon Jan  1 00:00:00 UTC 2024' \
		"KCFLAGS=-ffile-prefix-map=$src=/src -ffile-prefix-map=$out=/out" \
		"KAFLAGS=-ffile-prefix-map=$src=/src -ffile-prefix-map=$out=/out" \
		CROSS_COMPILE=$cross "CC=${ccache}${cross}gcc" "$@" >"$done.log" 2>&1 ||
		{ tail -n 20 "$done.log" >&2; die "make $* failed; all it said is in $done.log"; }
}
say "build-once: building $sets${patches:+ with$patches}"
KCONFIG_ALLCONFIG=$tmp/asked.config kmake allnoconfig
# Every line has to be found in the result, the "is not set" ones too.
awk '
	/^CONFIG_[A-Za-z0-9_]*=/ { name = $0; sub(/=.*/, "", name); value = $0; sub(/^[^=]*=/, "", value) }
	/^# CONFIG_[A-Za-z0-9_]* is not set$/ { name = $2; value = "n" }
	name { if (FNR == NR) asked[name] = value; else got[name] = value; name = "" }
	END { for (n in asked) if ((n in got ? got[n] : "n") != asked[n]) {
		print n ": asked for " asked[n] ", got " (n in got ? got[n] : "n"); bad = 1 } exit bad }
' "$tmp/asked.config" "$out/.config" >&2 || die "the configuration did not take"
kmake Image
cp "$out/arch/arm64/boot/Image" "$out/vmlinux" "$out/.config" "$tmp/asked.config" "$done.new/"
mv "$done.new" "$done"
rm -rf "$src" "$out" "$done.log"
printf '%s\n' "$done"
