#!/bin/sh
# `make install` into a directory, and what docs/operating.md does with it: the
# examples are read by the real programs, and a copy of the state is restored.
# Functions are called by name through ok().
# shellcheck disable=SC2317
set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d) || exit 1
server=
cleanup() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
. tests/tap.sh
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

root=$tmp/root/usr/local
bin=$root/bin
state=$tmp/state

installs() { make --no-print-directory -s install DESTDIR="$tmp/root"; }
is_whole() {
	for p in foldwatch foldwatchd foldwatch-agent; do
		[ "$("$bin/$p" --version)" = "$p 0.1" ] || { echo "$p"; return 1; }
	done
	"$bin/foldbench" list >/dev/null &&
		[ -x "$root/lib/foldwatch/bin/foldbench-arm64" ] &&
		for f in docs/man/*; do
			[ -r "$root/share/man/man${f##*.}/${f##*/}" ] || { echo "$f"; return 1; }
		done &&
		diff -r kernel "$root/share/foldwatch/kernel" &&
		diff -r -x .made build/web "$root/lib/foldwatch/bin/web" &&
		diff -r docs/examples "$root/share/doc/foldwatch/examples"
}
# Every user may read it, whatever the umask was.
is_readable() { [ -z "$(find "$tmp/root/usr" -not -type l -not -perm -0444)" ]; }
# No path of where it was built or staged.
is_movable() {
	find "$root" -type l >"$tmp/links" && [ -s "$tmp/links" ] &&
		while read -r l; do
			case $(readlink "$l") in /*) echo "$l"; return 1 ;; esac
			[ -e "$l" ] || { echo "$l leads nowhere"; return 1; }
		done <"$tmp/links"
}
again() { installs && is_whole; }

# The examples as they stand, with the directories of this test.
here() { sed -e "s|/usr/local/|$root/|g" -e "s|/var/lib/foldwatch-agent|$tmp/agent|" \
	-e "s|/var/lib/foldwatch\$|$1|" -e 's|127.0.0.1:8080|127.0.0.1:0|' "$2"; }
server_conf() {
	here "$state" docs/examples/foldwatchd.conf >"$tmp/foldwatchd.conf" &&
		"$bin/foldwatchd" -n -c "$tmp/foldwatchd.conf"
}
agent_conf() {
	here "$state" docs/examples/agent.conf | sed "s|/etc/foldwatch/agent.token|$tmp/agent.token|" >"$tmp/agent.conf"
	echo AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA >"$tmp/agent.token"
	"$bin/foldwatch-agent" -n -c "$tmp/agent.conf"
}
units() {
	for u in docs/examples/*.service docs/examples/*.timer; do
		here "$state" "$u" | grep -v '^Documentation' >"$tmp/${u##*/}"
	done
	# Its warnings about other units of this machine are not ours.
	for u in "$tmp"/*.service "$tmp"/*.timer; do
		systemd-analyze verify "$u" 2>&1 | grep -F "${u##*/}"
	done | { ! grep .; }
}

start() { # start CONF STATE
	"$bin/foldwatchd" -c "$1" 2>>"$tmp/log" &
	server=$!
	i=0
	until [ -s "$2/address" ]; do
		i=$((i + 1))
		if [ "$i" -gt 300 ] || ! kill -0 "$server"; then
			tail -n 5 "$tmp/log"
			return 1
		fi
		sleep 0.1
	done
	FOLDWATCH_SERVER=$(cat "$2/address")
	export FOLDWATCH_SERVER
}
stop() {
	kill "$server" && wait "$server"
	rc=$?
	server=
	return "$rc"
}
serves() {
	start "$tmp/foldwatchd.conf" "$state" && curl -fsS "$FOLDWATCH_SERVER/healthz" &&
		curl -fsS "$FOLDWATCH_SERVER/" | grep -q '<html' &&
		curl -fsS "$FOLDWATCH_SERVER/api/v1/configs" | grep -q contpte-y
}
imports() {
	"$bin/foldbench" run --metric ns --runs 1 --iterations 2 --out "$tmp/a.jsonl" fork/order=0,size=2M &&
		"$bin/foldwatch" import "$tmp/a.jsonl" --kernel here --token-file "$state/admin.token" &&
		"$bin/foldwatch" status 1
}
copies() { # while it serves
	docs/examples/backup.sh "$state" "$tmp/copy" && docs/examples/backup.sh "$state" "$tmp/copy" &&
		[ -s "$tmp/copy/foldwatch.db" ] && [ -s "$tmp/copy/foldwatch.db.1" ] &&
		[ ! -e "$tmp/copy/foldwatch.db-wal" ] && [ ! -e "$tmp/copy/foldwatch.db.new" ]
}
still_serves() { imports && [ "$("$bin/foldwatch" status --json | grep -c '"id":')" -ge 1 ]; }
restores() {
	mkdir -m 0700 "$tmp/restored" && cp -R "$tmp/copy/foldwatch.db" "$tmp/copy/artifacts" "$tmp/copy/logs" "$tmp/restored/" &&
		here "$tmp/restored" docs/examples/foldwatchd.conf >"$tmp/restored.conf" &&
		"$bin/foldwatchd" -c "$tmp/restored.conf" rebuild &&
		start "$tmp/restored.conf" "$tmp/restored" && "$bin/foldwatch" status 1 | grep here &&
		"$bin/foldwatch" token --token-file "$state/admin.token" | grep admin
}
refuses_a_copy_of_nothing() { ! docs/examples/backup.sh "$tmp/none" "$tmp/none-copy"; }
removes() { make --no-print-directory -s uninstall DESTDIR="$tmp/root" && [ -z "$(find "$tmp/root" -not -type d)" ]; }

umask 077
ok 'make install' installs
ok 'everything is there' is_whole
ok 'everybody may read it' is_readable
ok 'nothing names where it was built' is_movable
ok 'make install over what runs' again
ok 'the example configuration of the server' server_conf
ok 'the example configuration of the agent' agent_conf
if command -v systemd-analyze >/dev/null; then
	ok 'the example units' units
else
	skip 'the example units' 'systemd-analyze is not installed'
fi
ok 'the installed server serves' serves
ok 'the installed foldbench and foldwatch' imports
if command -v sqlite3 >/dev/null; then
	ok 'a copy of the state while it serves' copies
	ok 'it serves on' still_serves
	ok 'it stops' stop
	ok 'a restored copy is served' restores
	ok 'and stops' stop
	ok 'no state, no copy' refuses_a_copy_of_nothing
else
	skip 'a copy of the state' 'sqlite3 is not installed'
	ok 'it stops' stop
fi
ok 'make uninstall' removes
echo "1..$n"
exit $bad
