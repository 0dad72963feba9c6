#!/bin/sh
# foldbench on this machine, as a person calls it: words and options for one case,
# a table on a terminal, JSON Lines in a pipe, and what it refuses. TAP.
# Functions are called by name through ok().
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. tests/tap.sh
bench=build/foldbench

# Ends with 2, and the sentence has those words.
refused() { # WORDS ARGUMENT...
	words=$1
	shift
	"$bench" run "$@" 2>"$tmp/err" >/dev/null
	[ $? -eq 2 ] && grep -F -- "$words" "$tmp/err" && return 0
	cat "$tmp/err"
	return 1
}
run() { "$bench" run "$@" >"$tmp/jsonl" 2>/dev/null; }
options() { run fork --order 0 --size 2M --iterations 3; }
lines() { # COUNT REGEX
	[ "$(grep -cE "$2" "$tmp/jsonl")" -eq "$1" ] || { cat "$tmp/jsonl" && return 1; }
}
shared() {
	run fork mremap/skew=4K --order 0 --size 2M --runs 2 &&
		lines 4 '"case":"(fork/order=0,size=2M|mremap/order=0,size=2M,skew=4K)"'
}
terminal() {
	script -qec "$bench run fork --order 0 --size 2M" /dev/null 2>/dev/null </dev/null | tr -d '\r' >"$tmp/jsonl"
	lines 1 '^fork/order=0,size=2M +0 +[0-9]+ +[0-9]+ +[0-9]+  ns( |$)' && lines 0 '[{]'
}

ok "a case by options" options
ok "in a pipe it is JSON Lines of the canonical text" lines 1 \
	'^[{]"type":"run","case":"fork/order=0,size=2M","run":0,"state":"valid"'
ok "which are whole" "$bench" check "$tmp/jsonl"
ok "an option is of every case" shared
ok "on a terminal it is a table" terminal
ok "a parameter twice" refused "order is given twice" fork/order=0 --order 9
ok "a parameter out of its bounds" refused "expected a number from 0 to 9" fork --order 10
ok "a parameter that the case does not take" refused 'fork knows no parameter "mode"' fork --order 0 --mode ro
ok "a parameter for a plan" refused "a plan's cases have their own" --plan /dev/null --order 0
ok "an endless parameter" refused "a case is shorter" fork --order "$(printf '%0300d' 0)"
ok "an empty parameter" refused "order" fork --order ""
ok "no case" refused "no case is given" --order 0
ok "a parameter that is none" refused "unrecognized option" fork --folio 0
echo "1..$n"
exit $bad
