#!/bin/sh
# Run test programs that speak TAP (cmocka programs do on request), show what
# failed or was skipped and the seconds each took, and close with
# `N passed, N failed, N skipped`. Stopped early, it shows what the unfinished
# program had said, and counts it as failed.
# Usage: tests/run.sh PROGRAM...      VERBOSE=1 shows every line.
# stopped() is called by the trap.
# shellcheck disable=SC2317
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0 t='' child='' began=$(date +%s)

total() { echo "$passed passed, $failed failed, $skipped skipped"; }
# stopped STATUS
stopped() {
	trap '' INT TERM
	echo "${t#build/}: stopped after $(($(date +%s) - began)) s; it had said:"
	sed 's/^/    /' "$tmp/out"
	tail -n 20 "$tmp/err" | sed 's/^/    | /'
	failed=$((failed + 1))
	total
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null
	exit "$1"
}
trap 'stopped 130' INT
trap 'stopped 143' TERM

for t in "$@"; do
	began=$(date +%s)
	: >"$tmp/out"
	: >"$tmp/err"
	# In the background, so that a signal is heard at once and not when it ends;
	# where the shell would have it ignore Ctrl-C.
	CMOCKA_MESSAGE_OUTPUT=TAP env --default-signal=INT,QUIT "$t" >"$tmp/out" 2>"$tmp/err" </dev/null &
	child=$!
	wait "$child"
	rc=$?
	child=
	# cmocka says "not ok N # SKIP": TAP's own word for a skip decides.
	p=$(grep -aE '^ok ' "$tmp/out" | grep -aviE '# *skip' -c)
	s=$(grep -aciE '^(not )?ok .*# *skip' "$tmp/out")
	f=$(grep -aE '^not ok ' "$tmp/out" | grep -aviE '# *skip' -c)
	# A program that died, or that failed without saying which test, is a failure.
	[ "$rc" -ne 0 ] && [ "$f" -eq 0 ] && f=1
	[ "$rc" -eq 0 ] && [ $((p + s + f)) -eq 0 ] && f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-40s %3d passed %3d failed %3d skipped %5d s\n' "${t#build/}" "$p" "$f" "$s" $(($(date +%s) - began))
	grep -aiE '^(not )?ok .*# *skip|^skipped: ' "$tmp/out" | uniq | sed 's/^/    /'
	if [ "$f" -gt 0 ] || [ -n "${VERBOSE-}" ]; then
		sed 's/^/    /' "$tmp/out"
		tail -n 60 "$tmp/err" | sed 's/^/    | /'
		[ "$rc" -ne 0 ] && echo "    exit status $rc"
	fi
done
total
[ "$failed" -eq 0 ]
