#!/bin/sh
# foldbench in a guest, on a kernel that was built: as TAP. Needs an arm64 Image
# of the virtual board's configuration, named by IMAGE or built by `make run`;
# without one everything here is skipped.
# Functions are called by name through ok().
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. tests/tap.sh

image=${IMAGE-}
[ -n "$image" ] || image=$(find build -path '*boot/Image' -type f 2>/dev/null | head -n 1)
if [ -z "$image" ] || ! command -v qemu-system-aarch64 >/dev/null || ! command -v cpio >/dev/null; then
	echo '1..1'
	echo 'ok 1 - foldbench in a guest # SKIP needs IMAGE=, qemu-system-aarch64 and cpio'
	exit 0
fi

# boot NAME PLAN [OPTION...]: result and console in $tmp/NAME
boot() {
	to=$tmp/$1 plan=$2
	shift 2
	printf '%b' "$plan" >"$tmp/plan"
	kernel/recipe/boot-once.sh -k "$to" "$@" "$image" "$tmp/plan" >/dev/null 2>&1
}
# All lines of runs, of which nothing may differ between equal boots.
runs() { grep '^{"type":"run"' "$tmp/$1/result.jsonl"; }
same_runs() { [ "$(runs "$1")" = "$(runs "$2")" ] && [ -n "$(runs "$1")" ]; }
samples() { runs "$1" | grep -o '"samples":\[[^]]*\]'; }
numbers() { samples "$1" | tr -cs '0-9' '\n' | grep .; }
# close_samples A B N COUNT: none of COUNT samples of the one boot is further than N from the other's
close_samples() {
	numbers "$1" >"$tmp/one" && numbers "$2" >"$tmp/two" && paste "$tmp/one" "$tmp/two" |
		awk -v n="$3" -v count="$4" '{ if ($2 - $1 > n || $1 - $2 > n) exit 1 } END { if (NR != count) exit 1 }'
}
# The second run's last sample is larger than the first one's by N and more.
grows() { samples "$1" | sed 's/.*,//; s/]//' | awk -v n="$2" 'NR == 1 { a = $1 } END { exit NR != 2 || $1 - a < n }'; }
all_state() { [ "$(runs "$1" | grep -c "\"state\":\"$2\"")" = "$3" ] && [ "$(runs "$1" | wc -l)" = "$3" ]; }
# As many runs, each valid, or skipped for what the kernel was built without.
measured_or_lacks() {
	[ "$(runs "$1" | grep -cE '"state":"valid"|"state":"skip","why":"[^"]*CONFIG_')" = "$2" ]
}
whole() { build/foldbench check "$tmp/$1/result.jsonl"; }
has() { grep -qF -- "$2" "$tmp/$1"; }
has_not() { [ -e "$tmp/$1" ] && ! has "$@"; }

orders=''
for o in 0 2 3 4 5 6 7 8 9; do
	orders="${orders}fork/order=$o,size=8M\nmunmap/order=$o,size=8M\n"
	for to in skew=4K align=64K align=2M; do
		orders="${orders}mremap/order=$o,size=8M,$to\n"
	done
done
boot a "$orders" -p 7 -m 2304
boot b "$orders" -p 7 -m 2304 -n ffeeddccbbaa9988
ok 'every order of every case is measured' all_state a valid 45
ok 'the result is whole' whole a
ok 'it carries the nonce' has a/result.jsonl '"nonce":"0123456789abcdef"'
ok 'the console has its begin' has a/console.txt 'foldbench: begin nonce=0123456789abcdef'
ok 'the console has its end' has a/console.txt 'foldbench: end nonce=0123456789abcdef runs=45'
ok 'another nonce of the same width changes no run' same_runs a b
# A word of the kernel's command line that it does not know becomes a variable of the
# environment, and moves the stack.
forks='fork/order=0,size=16M runs=1 iterations=3 warmup=1\nfork/order=9,size=16M runs=1 iterations=3 warmup=1\n'
boot forks "$forks" -p 7
boot moved "$forks" -p 7 -e a=b
boot away "$forks" -p 7 -e "pad=$(printf '%0900d' 0)"
ok 'where the stack begins moves no fork' close_samples forks moved 100 8
ok 'nor does a stack that is a good part of a page away' close_samples forks away 500 8

# The other operations, where there are no contiguous PTEs, where a folio is one
# block of them, and where it is many.
operations=''
count=0
for o in 0 4 9; do
	for op in fork/@,fill=file munmap/@,block=4K munmap/@,block=60K exit/@ \
		dontneed/@,mode=whole dontneed/@,mode=each-page dontneed/@,block=4K \
		dontneed/@,block=60K dontneed/@,block=64K mprotect/@,mode=ro mprotect/@,mode=rw \
		mprotect/@,block=4K split/@,mode=mlock split/@,mode=dontfork cow/@,mode=alive \
		cow/@,mode=gone walk/@,mode=pagemap walk/@,mode=smaps walk/@,mode=mincore \
		refs/@,mode=clear refs/@,mode=retouch reads/@ moved/@,skew=4K,mode=fork \
		moved/@,skew=4K,mode=reads moved/@,align=64K,mode=fork; do
		operations="$operations$(echo "$op" | sed "s/@/order=$o,size=8M/")\\n"
		count=$((count + 1))
	done
done
boot ops "$operations" -p 7 -m 2304
# What takes swap or KSM is proved where the kernel has it (contpte-*-reclaim).
boot more 'pageout/order=4,size=8M,mode=out\npageout/order=9,size=8M,mode=in\nksm/order=4,size=8M\n' -m 2304
ok 'what a kernel has not is skipped, with the option that it lacks' measured_or_lacks more 3
boot again "$operations" -p 7 -m 2304 -n ffeeddccbbaa9988
ok 'every operation is measured and proved' all_state ops valid "$count"
ok 'and again to the digit' same_runs ops again
# The exit of a child is counted although it is no work of the parent: twice the
# pages are more instructions, by ten a page and more.
boot exits 'exit/order=0,size=8M\nexit/order=0,size=16M\n' -m 2304
ok 'the exit of a child is counted' grows exits 20480

fork='fork/order=0,size=8M\nfork/order=9,size=8M\n'
boot quiet "$fork" -m 2304 -e FOLDBENCH_CHILD_SPIN=0000000
boot busy "$fork" -m 2304 -e FOLDBENCH_CHILD_SPIN=3000000
# The child's three million turns are more than ten million instructions.
ok 'what the child does is in no sample of fork' close_samples quiet busy 100000 12

boot fast 'fork/order=0,size=8M runs=2\nmunmap/order=9,size=8M\n' -f -i
ok 'without a counter every run is a skip' all_state fast skip 3
ok 'which says why' has fast/result.jsonl 'no counter of retired instructions'
boot ns 'fork/order=0,size=8M\nmunmap/order=9,size=8M\n' -f
ok 'time is measured there' all_state ns valid 2

boot port 'fork/order=0,size=8M\n' -P
ok 'without a port it says so' has port/console.txt 'foldbench: failed: no virtio-serial port is named org.foldwatch.results'
ok 'and has no end' has_not port/console.txt 'foldbench: end'
boot badplan 'fork/order=0,size=8M\nfork/order=7x,size=8M\n'
ok 'a bad plan is told with its line' has badplan/console.txt 'foldbench: failed: plan:2: order: '
ok 'and has no end either' has_not badplan/console.txt 'foldbench: end'
boot small 'munmap/order=9,size=256M\n' -m 200
ok 'too little memory is no number' has_not small/result.jsonl '"state":"valid"'
ok 'and the guest says what became of it' grep -qE 'foldbench: (failed|end)|Kernel panic|Out of memory' "$tmp/small/console.txt"

echo "1..$n"
exit $bad
