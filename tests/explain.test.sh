#!/bin/sh
# `foldwatch explain` on two kernels that were built, as TAP: A and B name
# directories with Image and vmlinux, A built with CONTPTE=n and B with y.
# Without them everything here is skipped.
# Functions are called by name through ok().
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. tests/tap.sh

if [ -z "${A-}" ] || [ -z "${B-}" ] || ! command -v qemu-system-aarch64 >/dev/null; then
	echo '1..1'
	echo 'ok 1 - explain on real kernels # SKIP needs A= and B= (Image and vmlinux) and qemu-system-aarch64'
	exit 0
fi

addr() { aarch64-linux-gnu-nm "$1" | awk -v name="$2" '$3 == name { print "0x" $1; exit }'; }
# The samples of a boot, with QEMU's plugin and without.
boot() { # boot NAME [OPTION...]
	to=$1
	shift
	echo 'fork/order=0,size=16M runs=2 iterations=3 warmup=1
exit/order=9,size=16M runs=1 iterations=2 warmup=1
mremap/order=0,size=16M,skew=4K runs=1 iterations=2 warmup=0' >"$tmp/plan"
	printf '%s\n' '1 3' '1 3' '1 2' '1 2' >"$tmp/runs"
	kernel/recipe/boot-once.sh -p 7 "$@" "$A/Image" "$tmp/plan" 2>/dev/null |
		grep -o '"samples":\[[^]]*\]' >"$tmp/$to"
}
bench=build/foldbench-arm64
plugin=$PWD/build/foldwatch-profile.so,out=$tmp/profile,runs=$tmp/runs,begin=$(addr $bench meter_start)
plugin=$plugin,end=$(addr $bench meter_stop),run=$(addr $bench suite_next_run),wide=$(addr $bench meter_wide)
plugin=$plugin,switch=$(addr "$A/vmlinux" cpu_switch_to)
plugin=$plugin,irq=$(addr "$A/vmlinux" el1h_64_irq),irq=$(addr "$A/vmlinux" el0t_64_irq)
boot plain
boot counted -x "$plugin"
same() { [ -s "$tmp/plain" ] && cmp "$tmp/plain" "$tmp/counted"; }
ok 'counting changes no sample' same
ok 'and ends its file' grep -qx end "$tmp/profile"
# The windows of the samples alone, whatever the warm-up.
sections() { [ "$(grep '^run' "$tmp/profile" | cut -d' ' -f2 | tr '\n' ' ')" = '3 3 2 2 ' ] || { grep '^run' "$tmp/profile"; return 1; }; }
ok 'each run in a section of its own' sections

explained() { build/foldwatch explain "$A/" "$B/" "$@" >"$tmp/json" 2>"$tmp/err" || { cat "$tmp/err"; return 1; }; }
value() { tr -d '\n' <"$tmp/json" | grep -o "\"$1\": *-\?[0-9.e-]*" | head -n 1 | sed 's/.*: *//'; }
# The rows' moves sum to the samples' difference, to five instructions a window.
sums() {
	rows=$(grep -o '"move": *-\?[0-9.e-]*' "$tmp/json" | sed 's/.*: *//' | awk '{ s += $1 } END { printf "%.3f", s }')
	echo "$rows $(value move) $(value not_explained)" |
		awk '{ print; rows = $1 - $2; d = rows - $2; if (d < -5 || d > 5 || $3 < -5 || $3 > 5) exit 1 }'
}
only_in_b() { tr -d '\n' <"$tmp/json" | grep -oE '"function": *"[_a-z]*contpte_[a-z_]*", *"a": *0(\.0)?,'; }

ok 'a fork at order 0 is explained' explained fork/order=0,size=16M --json
ok 'and its rows sum to the difference' sums
ok 'copy_page_range moves' grep -q copy_page_range "$tmp/json"
ok 'a skewed mremap at order 9 is explained' explained mremap/order=9,size=16M,skew=4K --json
ok 'and its rows sum too' sums
ok 'the contpte layer runs in the one and not in the other' only_in_b
ok 'an exit is explained, with other tasks in a row of their own' explained exit/order=9,size=16M --json
ok 'for mails' explained fork/order=9,size=16M
narrow() { ! grep '^|' "$tmp/json" | LC_ALL=C grep -nE '^.{73,}|[^ -~]'; }
ok 'in tables of 72 columns of ASCII' narrow

echo "1..$n"
exit $bad
