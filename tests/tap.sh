# What the tests in sh share: a test is a command, told as TAP. Sourced, not run;
# the caller has a directory $tmp, and ends with `echo "1..$n"; exit $bad`.
# shellcheck shell=sh disable=SC2034,SC2154
n=0 bad=0

ok() { # ok NAME COMMAND...
	name=$1
	shift
	n=$((n + 1))
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $n - $name"
	else
		bad=1
		echo "not ok $n - $name"
		tail -n 20 "$tmp/out" | cut -c1-400 | sed 's/^/# /'
	fi
}
