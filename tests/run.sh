#!/bin/sh
# Run test programs that speak TAP (cmocka programs do on request), show what
# failed or was skipped, and close with `N passed, N failed, N skipped`.
# Usage: tests/run.sh PROGRAM...      VERBOSE=1 shows every line.
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0
for t in "$@"; do
	CMOCKA_MESSAGE_OUTPUT=TAP "$t" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	# cmocka says "not ok N # SKIP": TAP's own word for a skip decides.
	p=$(grep -aE '^ok ' "$tmp/out" | grep -aviE '# *skip' -c)
	s=$(grep -aciE '^(not )?ok .*# *skip' "$tmp/out")
	f=$(grep -aE '^not ok ' "$tmp/out" | grep -aviE '# *skip' -c)
	# A program that died, or that failed without saying which test, is a failure.
	[ "$rc" -ne 0 ] && [ "$f" -eq 0 ] && f=1
	[ "$rc" -eq 0 ] && [ $((p + s + f)) -eq 0 ] && f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-44s %3d passed %3d failed %3d skipped\n' "${t#build/}" "$p" "$f" "$s"
	grep -aiE '^(not )?ok .*# *skip|^skipped: ' "$tmp/out" | uniq | sed 's/^/    /'
	if [ "$f" -gt 0 ] || [ -n "${VERBOSE-}" ]; then
		sed 's/^/    /' "$tmp/out"
		tail -n 60 "$tmp/err" | sed 's/^/    | /'
		[ "$rc" -ne 0 ] && echo "    exit status $rc"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
