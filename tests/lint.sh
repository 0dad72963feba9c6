#!/bin/sh
# Formatters and static analysers over everything, as TAP. `make lint` calls it.
# Functions are called by name through check().
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1
n=0 bad=0

# check NAME COMMAND...: fails when the command fails or prints anything.
check() {
	name=$1
	shift
	n=$((n + 1))
	if ! command -v "$1" >/dev/null 2>&1; then
		printf 'ok %d - %s # SKIP %s is not installed\n' "$n" "$name" "$1"
		return
	fi
	out=$("$@" 2>&1) && rc=0 || rc=$?
	if [ "$rc" -ne 0 ] || [ -n "$out" ]; then
		bad=1
		printf 'not ok %d - %s\n' "$n" "$name"
		printf '%s\n' "$out" | head -n 40 | sed 's/^/# /'
	else
		printf 'ok %d - %s\n' "$n" "$name"
	fi
}
rooms='lib server agent cli bench'
# shellcheck disable=SC2086
c_files=$(find $rooms -name '*.[ch]' | sort)
scripts=$(find . -name '*.sh' -not -path './build/*' -not -path './var/*' -not -path '*/node_modules/*'; find .ci -type f)
mans=$(find docs/man -type f 2>/dev/null)
jobs=$(nproc)

# shellcheck disable=SC2086
{
	check 'clang-format' clang-format --dry-run --Werror $c_files
	check 'shellcheck' shellcheck $scripts
	# Style below warnings fits no house; what is left has to be silent.
	check 'cppcheck' cppcheck -j "$jobs" --quiet --std=c11 --enable=warning,portability,performance \
		--inline-suppr --suppress=missingIncludeSystem --suppress=varFuncNullUB --suppress=normalCheckLevelMaxBranches \
		--error-exitcode=1 -D_GNU_SOURCE -I. -Ibuild/gen $rooms
	for m in $mans; do
		check "mandoc ${m##*/}" sh -c "mandoc -Tlint -W warning '$m' | grep -v 'outdated mandoc.db'; :"
	done
}
# clang-tidy is slow: one process a core, and only where the compiler's own
# flags are known.
tidy() {
	command -v clang-tidy >/dev/null || { echo 'clang-tidy is not installed'; return 1; }
	flags="-std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -Ibuild/gen -DFOLDWATCH_VERSION='\"0\"' $(pkg-config --cflags libmicrohttpd sqlite3 jansson libcurl gnutls gsl libarchive libzstd libelf libdw zlib)"
	find lib server agent cli bench -name '*.c' -not -path '*/test/*' -print0 |
		xargs -0 -n 6 -P "$jobs" sh -c 'clang-tidy --quiet "$@" -- '"$flags"' 2>/dev/null' tidy |
		grep -E 'warning:|error:' | sort -u
	return 0
}
check 'clang-tidy' tidy
echo "1..$n"
exit $bad
