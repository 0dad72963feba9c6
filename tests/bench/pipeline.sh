#!/bin/sh
# From the submission of a patch to its verdict, against `make` and `qemu` alone.
# Usage: pipeline.sh PROGRAMS SHARE DIR      prints `VALUE RATIO WHAT...`, a line each
#
# Before anything is timed `foldwatch up` builds and compares its two kernels,
# and a tree beside it is built once with the first one's .config. Then, for
# each round, one line is added to mm/mremap.c. Ours: fetch, build what the
# change touches, nine boots (eight phases, the first twice), the verdict; the
# baseline's boots stand. Alone: the same change to the tree beside it, `make
# Image`, the same nine boots with nothing that reads or proves them.
# DIR is kept: a second run begins where the first one's kernels stand.
set -eu

programs=$1 share=$2 dir=$3
rounds=${ROUNDS:-2}
say() { printf '# %s\n' "$*" >&2; }
die() { printf 'pipeline: %s\n' "$*" >&2; exit 1; }
now() { date +%s.%N; }
since() { echo "$1 $(now)" | awk '{ printf "%.2f", $2 - $1 }'; }

unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
mkdir -p "$dir"
dir=$(cd "$dir" && pwd -P)
up=
cleanup() {
	[ -n "$up" ] || return 0
	kill -TERM "$up" 2>/dev/null || true
	wait "$up" || true
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=bench GIT_AUTHOR_EMAIL=bench@localhost
export GIT_COMMITTER_NAME=bench GIT_COMMITTER_EMAIL=bench@localhost
source=$("$share/kernel/recipe/source.sh" "$dir")
tree=${source% *} base=${source#* }
git=${tree#file://}

say 'two kernels and their boots, where they do not stand yet'
setpriv --pdeathsig TERM "$programs/foldwatch" up --dir "$dir/state" --listen 127.0.0.1:0 --share "$share" \
	--tree "$tree" --ref "$base" >"$dir/up.out" 2>"$dir/up.err" &
up=$!
# A build takes what it takes; `up` ends by itself when something is wrong.
until grep -q 'The page: ' "$dir/up.out"; do
	kill -0 "$up" 2>/dev/null || die "foldwatch up: $(tail -n 1 "$dir/up.err")"
	sleep 1
done
address=$(cat "$dir/state/address")
ask() { "$programs/foldwatch" "$@" --server "$address" --token-file "$dir/state/submit.token"; }

config=$(ask kernels --json | tr -d '\n' | tr '{' '\n' | grep '"config": *"contpte-n"' |
	sed -n 's/.*"config_artifact": *"\([0-9a-f]*\)".*/\1/p' | head -n 1)
[ -n "$config" ] || die 'there is no kernel "contpte-n" with its .config'

# The tree beside it.
src=$dir/alone/src out=$dir/alone/out
alone() {
	make -s -C "$src" "-j$(nproc)" "O=$out" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- LOCALVERSION= \
		KBUILD_BUILD_USER=foldwatch KBUILD_BUILD_HOST=foldwatch KBUILD_BUILD_VERSION=1 \
		KBUILD_BUILD_TIMESTAMP='Mon Jan  1 00:00:00 UTC 2024' "$@" >"$dir/make.out" 2>&1 ||
		die "make: $(tail -n 1 "$dir/make.out")"
}
if [ "$(cat "$dir/alone/base" 2>/dev/null)" != "$base" ]; then
	rm -rf "$dir/alone"
	mkdir -p "$src" "$out"
	git --git-dir="$git" archive "$base" | tar -xf - -C "$src"
	printf '%s\n' "$base" >"$dir/alone/base"
fi
artifact=$(find "$dir/state/artifacts" -type f -path "*$(printf %.2s "$config")*" -name "*${config#??}" | head -n 1)
cmp -s "$artifact" "$dir/alone/config" || {
	cp "$artifact" "$dir/alone/config"
	cp "$artifact" "$out/.config"
}
say 'the same kernel once more, by make alone'
alone olddefconfig
alone Image

cases='fork/order=0,size=256M fork/order=9,size=256M munmap/order=0,size=256M munmap/order=9,size=256M
mremap/order=0,size=16M,skew=4K mremap/order=9,size=16M,skew=4K mremap/order=0,size=16M,align=64K
mremap/order=9,size=16M,align=64K mremap/order=0,size=16M,align=2M mremap/order=9,size=16M,align=2M'
for c in $cases; do echo "$c runs=1 iterations=5 warmup=1"; done >"$dir/plan"

line=1
while [ "$line" -le "$rounds" ]; do
	# A change that no cache has seen.
	mark=$(date +%s%N)
	git --git-dir="$git" cat-file blob "$base:mm/mremap.c" >"$dir/mremap.c"
	printf 'extern unsigned long foldwatch_bench;\nunsigned long foldwatch_bench = %sUL;\n' "$mark" >>"$dir/mremap.c"
	GIT_DIR=$git GIT_INDEX_FILE=$dir/index
	export GIT_DIR GIT_INDEX_FILE
	git read-tree "$base"
	git update-index --cacheinfo "100644,$(git hash-object -w "$dir/mremap.c"),mm/mremap.c"
	commit=$(git commit-tree -p "$base" -m "bench $mark" "$(git write-tree)")
	git update-ref "refs/heads/bench-$mark" "$commit"
	unset GIT_DIR GIT_INDEX_FILE

	begin=$(now)
	ask submit --title "bench $mark" --baseline "base=$tree#$base,config=contpte-n" \
		--kernel "patch=$tree#bench-$mark,config=contpte-n" --wait --json \
		>"$dir/compare.json" 2>"$dir/submit.err" || die "submit: $(tail -n 1 "$dir/submit.err")"
	ours=$(since "$begin")
	grep -q '"verdict"' "$dir/compare.json" || die 'there is no verdict'

	begin=$(now)
	cp "$dir/mremap.c" "$src/mm/mremap.c"
	alone Image
	make_s=$(since "$begin")
	begin=$(now)
	for phase in 7 9 11 14 18 23 29 37 7; do
		FOLDBENCH=$programs/foldbench-arm64 "$share/kernel/recipe/boot-once.sh" -p "$phase" \
			"$out/arch/arm64/boot/Image" "$dir/plan" >"$dir/boot.out" 2>"$dir/boot.err" ||
			die "boot-once: $(tail -n 1 "$dir/boot.err")"
		grep -q '"type":"end"' "$dir/boot.out" || die 'a boot alone brought no result'
	done
	boots_s=$(since "$begin")
	echo "$ours $make_s $boots_s" | awk '{ printf "%.2f %.4f make %.1f s, nine boots %.1f s alone\n", $1, $1 / ($2 + $3), $2, $3 }'
	line=$((line + 1))
done
