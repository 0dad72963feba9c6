#!/bin/sh
# What other cases of a plan do to a case, on a kernel that was built: as TAP. Needs an
# arm64 Image of the virtual board's configuration, named by IMAGE; without one
# everything here is skipped.
#
# A plan is booted at six phases as it is, backwards, and with two more cases in front.
# For each case: the median of the paired changes' Walsh averages, which is the change
# that a comparison would print (docs/statistics.md has the bounds, and why).
# Functions are called by name through ok().
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. tests/tap.sh

image=${IMAGE-}
if [ -z "$image" ] || ! command -v qemu-system-aarch64 >/dev/null || ! command -v cpio >/dev/null; then
	echo '1..1'
	echo 'ok 1 - cases beside other cases # SKIP needs IMAGE=, qemu-system-aarch64 and cpio'
	exit 0
fi

phases='7 9 11 14 18 23'
for o in 0 4 9; do
	for c in fork munmap mremap,skew=4K dontneed,mode=each-page mprotect,mode=rw split,mode=dontfork; do
		rest=${c#"${c%%,*}"}
		echo "${c%%,*}/order=$o,size=16M$rest runs=1 iterations=3 warmup=1"
	done
done >"$tmp/plan.same"
tac "$tmp/plan.same" >"$tmp/plan.backwards"
{
	echo 'fork/order=5,size=32M runs=1 iterations=3 warmup=1'
	echo 'walk/order=2,size=8M,mode=smaps runs=1 iterations=3 warmup=1'
	cat "$tmp/plan.same"
} >"$tmp/plan.longer"

# CASE MEDIAN, of the samples behind the warm-up
medians() {
	grep '"state":"valid"' "$1" | sed 's/.*"case":"\([^"]*\)".*"samples":\[[0-9]*,\([0-9,]*\)\].*/\1 \2/' |
		while read -r name rest; do
			echo "$name $(echo "$rest" | tr ',' '\n' | sort -n | sed -n 2p)"
		done | sort
}
for p in $phases; do
	for v in same backwards longer; do
		kernel/recipe/boot-once.sh -p "$p" -m 2080 "$image" "$tmp/plan.$v" 2>/dev/null >"$tmp/result"
		medians "$tmp/result" >"$tmp/$v.$p"
	done
	join "$tmp/same.$p" "$tmp/backwards.$p" >>"$tmp/pairs.backwards"
	join "$tmp/same.$p" "$tmp/longer.$p" >>"$tmp/pairs.longer"
done

# Every case was paired at each phase, and none moves by more than PERCENT.
within() { # PLAN PERCENT
	sort "$tmp/pairs.$1" | awk -v bound="$2" '
		function close_case(   i, k, m, w, t) {
			if (!n) return
			m = 0
			for (i = 1; i <= n; i++) for (k = i; k <= n; k++) w[++m] = (d[i] + d[k]) / 2
			for (i = 2; i <= m; i++) for (k = i; k > 1 && w[k] < w[k - 1]; k--) { t = w[k]; w[k] = w[k - 1]; w[k - 1] = t }
			t = 100 * (m % 2 ? w[(m + 1) / 2] : (w[m / 2] + w[m / 2 + 1]) / 2)
			printf "%-45s %+.3f%% of %d phases\n", name, t, n
			cases++
			if (n != 6 || t > bound || t < -bound) bad = 1
			n = 0
		}
		$1 != name { close_case(); name = $1 }
		{ d[++n] = log($3 / $2) }
		END { close_case(); exit bad || cases != 18 }'
}
ok 'two more cases in front move none by more than 0.1%' within longer 0.1
ok 'the other way round none moves by more than 0.5%' within backwards 0.5
echo "1..$n"
exit $bad
