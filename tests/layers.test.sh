#!/bin/sh
# tests/layers.sh must notice: plant one breach of each kind in a copy. TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$copy" 2>/dev/null
git -C "$copy" init -q
n=0 bad=0

# plant RULE FILE LINE: with LINE added to FILE the rule must fail
rules=$copy.rules
trap 'rm -rf "$copy" "$rules"' EXIT
plant() {
	printf '%s\n' "$1" >>"$rules"
	printf '%s\n' "$3" >>"$copy/$2"
}

n=$((n + 1))
if "$copy/tests/layers.sh" >/dev/null 2>&1; then echo "ok $n - the copy is clean"; else
	echo "not ok $n - the copy is clean"
	bad=1
fi
plant 'sqlite3.h only in server/db*' server/schedule.c '#include <sqlite3.h>'
plant 'microhttpd.h only in server/http*' server/routes.c '#include <microhttpd.h>'
plant 'curl only in the client of lib' agent/spool.c '#include <curl/curl.h>'
plant 'no Jansson in server/store_*' server/store_token.c '#include "lib/json.h"'
plant 'no Jansson, no input or output in lib/stat' lib/stat/pairs.c 'void f(void) { printf("x"); }'
plant 'lib includes only lib' lib/buf.c '#include "server/db.h"'
plant 'server includes only server and lib' server/routes.c '#include "agent/step.h"'
plant 'agent includes only agent and lib' agent/main.c '#include "server/db.h"'
plant 'cli includes only cli and lib' cli/main.c '#include "server/db.h"'
plant 'bench includes only bench and lib/case.h' bench/main.c '#include "lib/buf.h"'
plant 'lib/case needs nothing but libc' lib/case.c '#include "lib/buf.h"'
plant 'SQL only in server/store_* and db' server/schedule.c 'const char *q = "SELECT id FROM job";'
plant 'statements are prepared only in server/store_* and db' server/schedule.c 'void f(void) { db_prepare(0, 0); }'
plant 'store_* keeps to SQL that databases share' server/store_token.c 'const char *q = "INSERT OR REPLACE INTO token";'
plant 'no HTML in C' server/routes.c 'const char *h = "<table >";'
plant 'no banned calls' cli/main.c 'void f(char *a) { strcpy(a, ""); }'
plant 'no typedef of structs' cli/main.c 'typedef struct x y;'
# All breaches at once: each rule has its own line to fail.
git -C "$copy" add -A
"$copy/tests/layers.sh" >"$copy.out" 2>/dev/null
while IFS= read -r rule; do
	n=$((n + 1))
	if grep -F -- "- $rule" "$copy.out" | grep -q '^not ok'; then
		echo "ok $n - noticed: $rule"
	else
		echo "not ok $n - noticed: $rule"
		bad=1
	fi
done <"$rules"
rm -f "$copy.out"
echo "1..$n"
exit $bad
