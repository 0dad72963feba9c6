#!/bin/sh
# The whole: `make run` on kernels built here, with server, agent and the
# driver killed (-9) in the middle of every stage; then a second run, prebuilt
# images, README's curl lines, and the page in a real browser. TAP.
#
# State lies outside the checkout and is removed at the end (KEEP=1 keeps it).
# cleanup() is called by the trap.
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1

n=0 bad=0
pass() { n=$((n + 1)); echo "ok $n - $1"; }
fail() { n=$((n + 1)); bad=1; echo "not ok $n - $1"; }
note() { sed 's/^/# /'; }
# is NAME WANT GOT
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1"; printf 'wanted %s, got %s\n' "$2" "$3" | note; fi; }

# relay NAME OUT ERR: another program's TAP as lines of this one; none is a failure
relay() {
	before=$n
	told=$(grep '^not ok ' "$2" | grep -v '# SKIP')
	while read -r line; do
		what=$(printf '%s\n' "$line" | sed 's/^not //; s/^ok *[0-9]* *-* *//')
		case $line in
		'ok '*'# SKIP'* | 'not ok '*'# SKIP'*) n=$((n + 1)) && echo "ok $n - $1 $what" ;;
		'ok '*) pass "$1: $what" ;;
		'not ok '*) fail "$1: $what" ;;
		'skipped: '*) echo "$line" ;;
		'#'*) [ -z "$told" ] || echo "$line" ;;
		esac
	done <"$2"
	[ "$n" -gt "$before" ] || fail "$1 ran"
	[ -z "$told" ] || tail -n 12 "$3" | note
	return 0
}

top=$(mktemp -d /var/tmp/foldwatch-whole.XXXXXX) || exit 1
chmod 0755 "$top"
state=$top/state
run=
cleanup() {
	stop_run
	if [ -n "${KEEP-}" ]; then echo "# state is kept in $top"; else rm -rf "$top"; fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# Pids of what this test started, found by its own state directory.
pids_of() {
	case $1 in
	server) pgrep -f -- "foldwatchd -c $state/" ;;
	agent) pgrep -o -f -- "foldwatch-agent -c $state/" ;;
	up) pgrep -f -- "^[^ ]*/foldwatch up --dir $state " ;;
	esac
}
# start_run NAME [VAR=VALUE...]: `make run` in the background
start_run() {
	out=$top/$1.out
	shift
	env -u MAKEFLAGS -u MAKELEVEL YES=1 DIR="$state" LISTEN=127.0.0.1:0 "$@" make --no-print-directory run \
		>"$out" 2>&1 </dev/null &
	run=$!
}
stop_run() {
	[ -n "$run" ] || return 0
	for p in $(pids_of up); do kill -TERM "$p" 2>/dev/null; done
	wait "$run" 2>/dev/null
	run=
}
finish_run() { wait "$run"; rc=$?; run=; }
# Until the tables are there, and it serves on.
wait_served() {
	turns=0
	until grep -q 'The page: ' "$out" || ! kill -0 "$run" 2>/dev/null || [ "$turns" -ge 6000 ]; do
		turns=$((turns + 1))
		sleep 0.1
	done
}
# slot_state SLOT: the agent's durable state there
slot_state() { sed -n 's/.*"state": *"\([a-z]*\)".*/\1/p' "$state/agent/state/$1.json" 2>/dev/null; }
log_bytes() { find "$state/logs" -type f -exec cat {} + 2>/dev/null | wc -c; }
# wait_for VICTIM SLOT STATES [LOGBYTES]: until that slot of a running agent is
# in one of STATES, and has logged so many bytes since, and VICTIM lives. (The
# state file alone may be what the last kill left.)
wait_for() {
	turns=0
	from=$(log_bytes)
	while [ "$turns" -lt 15000 ]; do
		kill -0 "$run" 2>/dev/null || return 1
		s=$(slot_state "$2")
		case " $3 " in *" ${s:-none} "*)
			if [ -n "$(pids_of agent)" ] && [ -n "$(pids_of "$1")" ]; then
				[ -z "${4-}" ] && return 0
				[ $(($(log_bytes) - from)) -ge "$4" ] && return 0
			fi
			;;
		esac
		turns=$((turns + 1))
		sleep 0.2
	done
	return 1
}
# kill_round NAME VICTIM SLOT STATES [LOGBYTES]
kill_round() {
	start_run "$1" ONCE=1
	if wait_for "$2" "$3" "$4" "${5-}"; then
		victim=$(pids_of "$2" | head -n 1)
		if [ -n "$victim" ] && kill -KILL "$victim"; then
			pass "$1: $2 killed while $3 was $(slot_state "$3")"
		else
			fail "$1: there was no $2 to kill"
		fi
	else
		fail "$1: $3 never was $4"
		tail -n 5 "$out" | note
	fi
	finish_run
	# Nothing may live on: the driver's children die with it.
	turns=0
	while [ -n "$(pids_of server)$(pids_of agent)" ] && [ "$turns" -lt 100 ]; do
		turns=$((turns + 1))
		sleep 0.1
	done
	is "$1: no process is left" "" "$(pids_of server)$(pids_of agent)"
}
sql() { sqlite3 -readonly "$state/foldwatch.db" "$1"; }

kill_round fetch agent build "claimed"
kill_round build-server server build "configured" 6000
kill_round build-agent agent build "configured" 9000
kill_round build-up up build "configured" 12000
kill_round boot-agent agent board-qemu-det "armed booted"
kill_round boot-server server board-qemu-det "armed booted"
kill_round boot-up up board-qemu-det "staged armed booted measured"

start_run final ONCE=1
finish_run
last=$(tail -n 1 "$out")
case $last in
'result 0' | 'result 3') pass "the run goes on to its end: $last" ;;
*) fail "the run goes on to its end"; tail -n 20 "$out" | note ;;
esac
is "make's own status" 0 "$rc"
is "every kernel × phase once, and phase 0 twice" 18 "$(sql 'SELECT count(*) FROM (SELECT DISTINCT kernel_id, phase, replicate FROM boot WHERE valid = 1)')"
is "no valid boot twice" 18 "$(sql 'SELECT count(*) FROM boot WHERE valid = 1')"
is "every case of every valid boot has one run" 180 "$(sql 'SELECT count(*) FROM run JOIN boot ON boot.id = run.boot_id WHERE boot.valid = 1')"
is "one submission" 1 "$(sql 'SELECT count(*) FROM submission')"
is "two kernels" 2 "$(sql "SELECT count(*) FROM kernel WHERE state = 'ready'")"
is "nothing waits in the spool" "" "$(find "$state/agent/spool" "$state/agent/dead" -type f 2>/dev/null)"
is "tables.txt is 7-bit ASCII of at most 72 columns" "" "$(LC_ALL=C grep -nE '^.{73,}|[^ -~]' "$state/tables.txt" | head -n 3)"
is "compare.json has ten cells with numbers" 10 "$(grep -o '"change": *-\?[0-9]' "$state/compare.json" | wc -l)"

facts=$(sql 'SELECT (SELECT count(*) FROM job), (SELECT count(*) FROM boot), (SELECT count(*) FROM run)')
cp "$state/tables.txt" "$top/tables.first"
start_run second ONCE=1
finish_run
is "a second run ends alike" "$last" "$(tail -n 1 "$out")"
is "a second run does no work again" "$facts" "$(sql 'SELECT (SELECT count(*) FROM job), (SELECT count(*) FROM boot), (SELECT count(*) FROM run)')"
is "a second run prints the same tables" "" "$(diff "$top/tables.first" "$state/tables.txt")"

# Prebuilt images: those that were just built.
mkdir "$top/a" "$top/b"
for k in a b; do
	config=$([ $k = a ] && echo contpte-n || echo contpte-y)
	for file in image vmlinux; do
		sha=$(sql "SELECT kernel.$file FROM kernel JOIN submission_kernel s ON s.kernel_id = kernel.id WHERE s.name = '$config' LIMIT 1")
		cp "$state/artifacts/$(printf %.2s "$sha")/${sha#??}" "$top/$k/$file"
	done
	mv "$top/$k/image" "$top/$k/Image"
done
chmod -R a+rX "$top/a" "$top/b"
start_run images IMAGES="$top/a/Image $top/b/Image"
wait_served
if grep -q 'The page: ' "$out"; then pass "prebuilt images are compared"; else fail "prebuilt images are compared"; tail -n 8 "$out" | note; fi

address=$(cat "$state/address")
# README's own lines, with this server's address and state.
sed -n '/<!-- curl:/,/^$/{/^    /s/^    //p}' README.md |
	sed -e "s|http://127.0.0.1:8080|$address|" -e "s|var/submit.token|$state/submit.token|" >"$top/curl.sh"
if (cd "$top" && timeout 1200 sh -eu curl.sh >curl.out 2>curl.err) && grep -q 'mean_rel' "$top/curl.out"; then
	pass "README's curl lines submit and print tables"
else
	fail "README's curl lines submit and print tables"
	tail -n 5 "$top/curl.err" "$top/curl.out" 2>/dev/null | note
fi

# The rest with an agent that may fetch from the tree again.
stop_run
start_run serve
wait_served
address=$(cat "$state/address")

# Kernels that the server built, by their names.
if build/foldwatch explain contpte-n contpte-y mremap/order=9,size=16M,skew=4K --submission 1 \
	--server "$address" --token-file "$state/submit.token" >"$top/explain.out" 2>&1 &&
	grep -q 'contpte_' "$top/explain.out" &&
	grep -qE '^boots [0-9]+ and [0-9]+ on qemu-det' "$top/explain.out"; then
	pass "explain names the functions that move, from what the boots kept"
else
	fail "explain names the functions that move, from what the boots kept"
	tail -n 5 "$top/explain.out" | note
fi

# What a sceptic gets brings the stored samples again, without agent and server.
if build/foldwatch repro fork/order=0,size=256M --submission 1 --out "$top/repro" \
	--server "$address" --token-file "$state/submit.token" >"$top/repro.out" 2>&1 &&
	"$top/repro/run.sh" >>"$top/repro.out" 2>&1; then
	pass "repro brings the stored samples again, to the digit"
else
	fail "repro brings the stored samples again, to the digit"
	tail -n 8 "$top/repro.out" | note
fi

# A branch that is not there: a submission that fails, for the page below, too.
tree=$(sql "SELECT tree FROM kernel WHERE tree IS NOT NULL LIMIT 1")
timeout 300 build/foldwatch submit --wait --baseline "gone=$tree#no-such-branch,config=contpte-y" --case fork/order=0,size=16M \
	--title 'a branch that is gone' --server "$address" --token-file "$state/submit.token" >"$top/gone.out" 2>&1
rc=$?
if [ $rc -eq 1 ] && grep -q 'no-such-branch' "$top/gone.out"; then
	pass "a branch that is not there fails in a sentence"
else
	fail "a branch that is not there fails in a sentence"
	echo "exit status $rc" | note
	tail -n 5 "$top/gone.out" | note
fi

# The page, on what was measured here.
if command -v chromium >/dev/null 2>&1; then
	NODE_PATH=build/npm/node_modules node tests/pages.mjs "$address" "$top" >"$top/pages.out" 2>&1
	relay page "$top/pages.out" /dev/null
else
	n=$((n + 1))
	echo "ok $n - the page in a browser # SKIP chromium is not installed"
fi

stop_run
is "Ctrl-C stops everything" "" "$(pids_of server)$(pids_of agent)"

# The agent's steps on this real kernel: builds that fail or come out alike,
# guests that panic, hang, lie, reboot. Not as root, which the agent refuses;
# with copies of the compiler's cache, so that "clean" costs a minute and not eight.
real=$top/real
mkdir -p "$real/agent/test/guest" "$real/build" "$real/dir/ccache"
cp build/agent/test/test_build_real build/agent/test/test_boot_real build/foldbench-arm64 build/foldwatch-profile.so "$real/build/"
cp agent/test/guest/init.c "$real/agent/test/guest/"
cat kernel/config/virt.config kernel/config/pages-4k.config kernel/config/contpte-on.config >"$real/config"
for d in "$state"/agent/ccache/*; do cp -r "$d" "$real/dir/ccache/0123456789abcdef" && break; done
as_user=
if [ "$(id -u)" = 0 ]; then
	as_user="setpriv --reuid=foldwatch --regid=foldwatch --init-groups --reset-env env PATH=$PATH"
	chown -R foldwatch: "$real"
fi
for t in boot build; do
	# shellcheck disable=SC2086
	(cd "$real" && $as_user env CMOCKA_MESSAGE_OUTPUT=TAP TMPDIR="$real" \
		FOLDWATCH_TEST_IMAGE="$top/b/Image" FOLDWATCH_TEST_VMLINUX="$top/b/vmlinux" FOLDWATCH_TEST_DIR="$real/dir" \
		FOLDWATCH_TEST_TREE="$state/linux-6.12.git" FOLDWATCH_TEST_CONFIG="$real/config" \
		"build/test_${t}_real") >"$top/real.out" 2>"$top/real.err" </dev/null
	relay "test_${t}_real" "$top/real.out" "$top/real.err"
done

IMAGE=$top/b/Image tests/foldbench.test.sh >"$top/real.out" 2>"$top/real.err" </dev/null
relay foldbench "$top/real.out" "$top/real.err"
A=$top/a B=$top/b tests/explain.test.sh >"$top/real.out" 2>"$top/real.err" </dev/null
relay explain "$top/real.out" "$top/real.err"
IMAGE=$top/b/Image tests/plan.test.sh >"$top/real.out" 2>"$top/real.err" </dev/null
relay plan "$top/real.out" "$top/real.err"

echo "1..$n"
exit $bad
