#!/bin/sh
# The walls of the house (docs/architecture.md), as TAP. `make layers` calls it.
# Functions are called by name through rule().
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1
n=0 bad=0

# rule NAME COMMAND...: the command prints what breaks the rule.
rule() {
	name=$1
	shift
	n=$((n + 1))
	if hits=$("$@" 2>/dev/null | head -n 20) && [ -n "$hits" ]; then
		bad=1
		printf 'not ok %d - %s\n' "$n" "$name"
		printf '%s\n' "$hits" | sed 's/^/# /'
	else
		printf 'ok %d - %s\n' "$n" "$name"
	fi
}

product='lib server agent cli bench'
# Sources of the product, without tests.
sources() {
	# shellcheck disable=SC2086
	find ${1:-$product} -name '*.[ch]' -not -path '*/test/*' | sort
}
# only HEADER ALLOWED-REGEX: files that include HEADER outside ALLOWED
only() {
	sources | xargs grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$1" | grep -vE "$2"
}
# includes ROOM ALLOWED-REGEX: our includes of ROOM that are not ALLOWED
includes() {
	sources "$1" | xargs grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' | grep -vE "\"($2)"
}
# Calls, with comments and strings taken out first so that prose may name them.
banned() {
	# shellcheck disable=SC2016
	sources | xargs awk -v calls="(^|[^A-Za-z0-9_>.])($1)[[:space:]]*\\(" '
		/^[[:space:]]*\/?\*/ { next }
		{ line = $0; gsub(/"[^"]*"/, "", line); gsub(/\/\/.*|\/\*.*\*\//, "", line) }
		line ~ calls { print FILENAME ":" FNR ": " $0 }'
}
html_in_c() {
	sources 'lib server agent cli' | xargs grep -nE '"[^"]*<(html|body|div|span|table|tr|td|p|br|a|script|style|h[1-6])[ />]'
}
sql_outside_store() {
	sources server | grep -vE '^server/(store_|db)' |
		xargs grep -nE '"[[:space:]]*(SELECT .* FROM|INSERT INTO|UPDATE [a-z_]+ SET|DELETE FROM|CREATE TABLE) '
}
db_calls_outside_store() {
	sources server | grep -vE '^server/(store_|db)' | xargs grep -nE '\bdb_(prepare|step|bind_[a-z]+)\('
}
sqlite_only_sql() {
	sources server | grep -E '^server/store_' |
		xargs grep -nEi '"[^"]*(INSERT OR (REPLACE|IGNORE)|json_extract|strftime\(|group_concat|last_insert_rowid|rowid|ifnull\(|GLOB )'
}
unnumbered() {
	sources server | grep -E '^server/store_' | xargs grep -nE "db_prepare.*[=(,] ?\?[^0-9]"
}
bench_libs() {
	nm -u build/foldbench 2>/dev/null | grep -E ' (json_|curl_|sqlite3_|gnutls_|gsl_|ZSTD_)'
	sources bench | xargs grep -nE '#[[:space:]]*include[[:space:]]*<(jansson|curl|sqlite3|gnutls|gsl|archive|zstd|microhttpd|zlib|gelf|libelf|dwarf|elfutils)'
}
# snprintf writes to memory and is welcome; anything that leaves the process is not.
stat_io() {
	grep -nE '#include *(<(jansson|fcntl|unistd|sys/)|"lib/(json|file|client|log))' lib/stat/*.[ch]
	grep -nE '(^|[^A-Za-z0-9_])(f?printf|fopen|fwrite|fread|fputs|puts|getenv|time)\(' lib/stat/*.[ch]
}
typedefs() {
	sources | xargs grep -nE '^typedef (struct|union|enum [a-z_]* *\{)'
}
outside_names() {
	git ls-files | grep -vE '^tests/layers.sh$' | xargs grep -nIE '(\.\./shared|/tmp/wt-|/work/)' 2>/dev/null
}

rule 'sqlite3.h only in server/db*' only 'sqlite3\.h' '^server/db[a-z_]*\.[ch]$'
rule 'microhttpd.h only in server/http*' only 'microhttpd\.h' '^server/http[a-z_]*\.[ch]$'
rule 'curl only in the client of lib' only 'curl/' '^lib/(client|smtp)[a-z_]*\.c$'
rule 'GnuTLS only in lib/hash' only 'gnutls/' '^lib/hash\.c$'
rule 'libarchive only in agent/initramfs' only 'archive' '^agent/initramfs[a-z_]*\.c$'
rule 'zstd only in lib/zst' only 'zstd' '^lib/zst\.c$'
rule 'GSL only in lib/stat' only 'gsl/' '^lib/stat/'
rule 'no Jansson in server/store_*' sh -c "grep -lE 'jansson|lib/json\.h' server/store_*.[ch]"
rule 'no Jansson, no input or output in lib/stat' stat_io
rule 'lib includes only lib' includes lib 'lib/'
rule 'server includes only server and lib' includes server 'server/|lib/|schema_sql\.h'
rule 'agent includes only agent and lib' includes agent 'agent/|lib/'
rule 'cli includes only cli and lib' includes cli 'cli/|lib/'
rule 'bench includes only bench and lib/case.h' includes bench 'bench/|lib/case\.h'
rule 'lib/case needs nothing but libc' sh -c "grep -nE '#include \"' lib/case.[ch] | grep -v 'lib/case\.h'"
rule 'store_* does not know api_*' sh -c "grep -nE '#include \"server/api' server/store_*.[ch] server/db*.[ch]"
rule 'SQL only in server/store_* and db' sql_outside_store
rule 'statements are prepared only in server/store_* and db' db_calls_outside_store
rule 'store_* keeps to SQL that databases share' sqlite_only_sql
rule 'markers in store_* are numbered' unnumbered
rule 'foldbench links libc alone' bench_libs
rule 'no HTML in C' html_in_c
rule 'no banned calls' banned 'system|popen|strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok|alloca|mktemp|tmpnam'
rule 'no typedef of structs' typedefs
rule 'no path from outside the repository' outside_names
echo "1..$n"
exit $bad
