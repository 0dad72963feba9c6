#!/bin/sh
# Kernels that the rest does not build: pages of 16K and of 64K, the mm's own
# assertions, swap and KSM, the function profiler, and one that misbehaves when it is told to. TAP.
#
# They come from a cache outside the tree (KERNELS=, kernel/recipe/build-once.sh),
# by the version of the source package, the compiler, the configuration and the
# patch. What is not there is skipped with that reason; FULL=1 builds it, some ten
# core-minutes a kernel, twice that where locks are proved.
# Functions are called by name through ok().
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d /var/tmp/foldwatch-kernels.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
. tests/tap.sh

skip() { # skip NAME WHY
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}
for p in qemu-system-aarch64 cpio; do
	command -v "$p" >/dev/null || { echo '1..1'; echo "ok 1 - kernels of other kinds # SKIP $p is not installed"; exit 0; }
done
FOLDBENCH=$(realpath build/foldbench-arm64)
export FOLDBENCH

# kernel NAME SET [PATCH]: $image, or one skip or one failure in its place
kernel() {
	what=$1 look=-c
	[ -z "${FULL-}" ] || look=
	dir=$(kernel/recipe/build-once.sh $look ${3:+-p "$3"} "$2" 2>"$tmp/build.err")
	rc=$?
	image=$dir/Image
	case $rc in
	0) return 0 ;;
	3) skip "$what" "no kernel of $2${3:+ with ${3##*/}} is in the cache: FULL=1 builds it" ;;
	*) ok "$what: the kernel is built" sh -c "cat '$tmp/build.err'; exit 1" ;;
	esac
	return 1
}
# boot NAME PLAN [OPTION...]: result and console in $tmp/NAME
boot() {
	to=$tmp/$1 plan=$2
	shift 2
	kernel/recipe/boot-once.sh -p 7 -k "$to" "$@" "$image" "$plan" >/dev/null 2>&1
}
runs() { grep '^{"type":"run"' "$tmp/$1/result.jsonl"; }
count() { runs "$1" | grep -cE "$2"; }
# Each run is valid, or skipped for what the kernel was built without.
measured() {
	runs "$1" | grep -vE '"state":"valid"|"state":"skip","why":"[^"]*CONFIG_'
	[ "$(runs "$1" | wc -l)" = "$2" ] && [ "$(count "$1" '"state":"valid"')" = "$3" ]
}
whole() { build/foldbench check "$tmp/$1/result.jsonl"; }
# Skipped with this sentence, and how often.
not() { ! "$@"; }
skipped() { [ "$(count "$1" "\"state\":\"skip\",\"why\":\"$2")" = "$3" ]; }
says() { grep -qF -- "$2" "$tmp/$1/result.jsonl"; }
clean() { build/foldwatch scan-log "$tmp/$1/console.txt"; }
same_runs() { [ -n "$(runs "$1")" ] && [ "$(runs "$1")" = "$(runs "$2")" ]; }

build/foldwatch preset contpte-quick >"$tmp/quick" || exit 1

# pages SIZE BYTES RUNS VALID ORDERS: the same plan twice, and that of pages of 4K,
# of which that many orders are folios that fit its regions
pages() {
	small=$(printf '%s' "$1" | tr K k)
	kernel "pages of $1" "contpte-y-$small" || return
	build/foldwatch preset contpte-quick --pages "$1" >"$tmp/$1.plan"
	boot "$1" "$tmp/$1.plan"
	boot "$1.again" "$tmp/$1.plan" -n ffeeddccbbaa9988
	boot "$1.quick" "$tmp/quick"
	# On QEMU's neoverse-n1, as all boots of the deterministic board.
	ok "pages of $1: contpte-quick in its words is measured and proved" measured "$1" "$3" "$4"
	ok "pages of $1: the result says which pages" says "$1" "\"page_size\":$2,\"block_size\":2097152"
	ok "pages of $1: the result is whole" whole "$1"
	ok "pages of $1: its log is clean" clean "$1"
	ok "pages of $1: and again to the digit" same_runs "$1" "$1.again"
	ok "pages of $1: a part of a block in the words of 4K is skipped" \
		skipped "$1.quick" "block=[0-9]*K is no part of a block in whole pages: a page is $1 here, a block 2048K" $((4 * $5))
	ok "pages of $1: a skew in the words of 4K is skipped" \
		skipped "$1.quick" "skew=4K is no multiple of a page, $1 here" $((3 * $5))
	ok "pages of $1: a block in the words of 4K is skipped" \
		skipped "$1.quick" "align=64K is less than a block, 2048K here" "$5"
	ok "pages of $1: nothing is invalid there" [ "$(count "$1.quick" '"state":"invalid"')" = 0 ]
}
pages 16K 16384 90 81 3
pages 64K 65536 87 78 2

if kernel "the mm's assertions" contpte-y+debug-vm+files; then
	truncate -s 320M "$tmp/disk"
	ok "the mm's assertions: there is a disk" /usr/sbin/mkfs.xfs -q "$tmp/disk"
	boot debug "$tmp/quick" -d "$tmp/disk"
	ok "the mm's assertions: contpte-quick is measured and proved" measured debug 90 81
	ok "the mm's assertions: files in folios up to order 9 are exercised on XFS" says debug \
		'"files":{"type":"xfs","exercises":13,"left_out":0,'
	ok "the mm's assertions: no byte of them is wrong" says debug '"folio_order":9,"wrong":0}'
	ok "the mm's assertions: the log is clean" clean debug
fi

# Where there is swap to zram and KSM, no case of the preset is skipped.
if kernel 'swap and KSM' contpte-y-reclaim; then
	boot reclaim "$tmp/quick"
	boot reclaim.again "$tmp/quick" -n ffeeddccbbaa9988
	ok 'swap and KSM: contpte-quick is measured and proved as a whole' measured reclaim 90 90
	ok 'swap and KSM: and again to the digit' same_runs reclaim reclaim.again
	ok 'swap and KSM: the log is clean' clean reclaim
fi

# Time, on the fast board: what the emulator does not count, the kernel does. 16M are 8
# folios of order 9, of which each is one batch.
if kernel 'calls of the contpte layer' contpte-y-trace; then
	printf 'fork/order=%s,size=16M runs=2 iterations=5\n' 0 9 >"$tmp/calls.plan"
	boot calls "$tmp/calls.plan" -f
	# called ORDER FUNCTION COUNT
	called() { runs calls | grep "order=$1," | grep -o '"calls":{"windows":5[^}]*}' | grep -q "\"$2\":$3[,}]"; }
	ok 'calls of the contpte layer: all is measured, once a case they are counted' measured calls 4 4
	ok 'calls of the contpte layer: fork protects and copies each folio of order 9 at once' \
		called 9 contpte_wrprotect_ptes 8
	ok 'calls of the contpte layer: and sets it in the child at once' called 9 contpte_set_ptes 8
	ok 'calls of the contpte layer: order 0 has no contiguous entries to protect' \
		not called 0 contpte_wrprotect_ptes '[1-9][0-9]*'
	ok 'calls of the contpte layer: the log is clean' clean calls
fi

if kernel 'faults on demand' contpte-y-checks tests/kernel/faults.patch; then
	# With no fault asked for it is a kernel with every check on.
	boot checks "$tmp/quick"
	ok 'every check of the kernel: contpte-quick is measured and proved' measured checks 90 81
	ok 'every check of the kernel: the log is clean' clean checks
	# Through the agent's own step, not as root, which it refuses.
	real=$tmp/real as_user=''
	mkdir -p "$real"
	cp build/agent/test/test_faults_real build/foldbench-arm64 "$image" "$real/"
	if [ "$(id -u)" = 0 ]; then
		if id foldwatch >/dev/null 2>&1; then user=foldwatch; else user=nobody; fi
		as_user="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups --reset-env env PATH=$PATH"
		chmod 0755 "$tmp"
		chown -R "$user" "$real"
	fi
	# shellcheck disable=SC2086
	(cd "$real" && $as_user env CMOCKA_MESSAGE_OUTPUT=TAP TMPDIR="$real" FOLDWATCH_TEST_FAULTS="$real/Image" \
		FOLDWATCH_TEST_FOLDBENCH="$real/foldbench-arm64" ./test_faults_real) >"$tmp/faults.out" 2>"$tmp/faults.err" </dev/null
	grep -E '^(not )?ok ' "$tmp/faults.out" >"$tmp/faults.lines"
	while read -r line; do
		n=$((n + 1))
		case $line in
		'ok '*) printf 'ok %d - a kernel at fault:%s\n' "$n" "${line#*-}" ;;
		*)
			bad=1
			printf 'not ok %d - a kernel at fault:%s\n' "$n" "${line#*-}"
			tail -n 40 "$tmp/faults.err" | cut -c1-300 | sed 's/^/# /'
			;;
		esac
	done <"$tmp/faults.lines"
	[ -s "$tmp/faults.lines" ] || ok 'faults on demand: the test ran' false
fi

echo "1..$n"
exit $bad
