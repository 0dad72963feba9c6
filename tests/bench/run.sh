#!/bin/sh
# `make bench`: measures this build, prints a table, writes build/bench.json.
#
#   ONLY=NAME     one group: ingest, turns, alerts, compare, memory, idle, stat, history,
#                   presets, seed-fork, pipeline
#   PIPELINE=1    the pipeline too (two kernel builds first: half an hour)
#   IMAGE=FILE    an arm64 Image that the loaded agent and the presets boot
#   VMLINUX=FILE  its symbols: what counting by function costs
#   DIR=DIR       where the pipeline keeps its kernel source and builds; absent:
#                 foldwatch-bench in the user's cache, /var/lib/foldwatch/bench as root
#
# Only loopback. As root it measures as the user `foldwatch`, as the product
# runs; its state lies in a directory that is removed at the end.
set -eu

cd "$(dirname "$0")/../.."
here=$PWD
say() { printf '%s\n' "$*" >&2; }

programs=$here/build
share=$here
as_user=
# Not below /tmp, which may be memory: what is measured waits for a disk.
work=$(mktemp -d /var/tmp/foldwatch-bench.XXXXXX)
pid=
cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
mkdir "$work/state"
if [ "$(id -u)" = 0 ]; then
	user=foldwatch
	id "$user" >/dev/null 2>&1 ||
		useradd --system --user-group --home-dir /var/lib/foldwatch --shell /usr/sbin/nologin "$user"
	# The checkout may be closed to that user (/root is 0700).
	mkdir -p "$work/share/build" "$work/share/tests"
	for p in foldwatch foldwatchd foldwatch-agent foldbench foldbench-arm64 foldwatch-profile.so foldwatch-bench; do
		install -m 0755 "build/$p" "$work/share/build/"
	done
	cp -r kernel "$work/share/"
	cp -r tests/bench "$work/share/tests/"
	if [ -n "${IMAGE-}" ]; then
		install -m 0644 "$IMAGE" "$work/share/Image"
		IMAGE=$work/share/Image
	fi
	if [ -n "${VMLINUX-}" ]; then
		install -m 0644 "$VMLINUX" "$work/share/vmlinux"
		VMLINUX=$work/share/vmlinux
	fi
	chmod -R a+rX "$work/share"
	chmod 0755 "$work"
	chown "$user:" "$work/state"
	programs=$work/share/build share=$work/share
	as_user="setpriv --reuid=$user --regid=$user --init-groups --reset-env env PATH=$PATH"
fi

kept=${DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/foldwatch-bench}
if [ -n "$as_user" ] && [ -z "${DIR-}" ]; then
	# That user's own cache, not root's.
	install -d -o "$user" -g "$user" -m 0755 /var/lib/foldwatch /var/lib/foldwatch/bench
	kept=/var/lib/foldwatch/bench
fi
case " ${ONLY-} ${PIPELINE:+pipeline} " in
*' pipeline '*)
	kernel/recipe/deps.sh run
	${MAKE:-make} --no-print-directory -s web >&2
	[ -z "$as_user" ] || { cp -r build/web "$programs/" && chmod -R a+rX "$programs/web"; }
	;;
esac
set -- --work "$work/state" --kept "$kept" --programs "$programs" --share "$share" --json "$work/state/bench.json"
[ -z "${IMAGE-}" ] || set -- "$@" --image "$(realpath "$IMAGE")"
[ -z "${VMLINUX-}" ] || set -- "$@" --vmlinux "$(realpath "$VMLINUX")"
if [ -n "${ONLY-}" ]; then
	# Words of it: ONLY="ingest compare".
	# shellcheck disable=SC2086
	set -- "$@" $ONLY
elif [ -n "${PIPELINE-}" ]; then
	set -- "$@" ingest turns alerts compare memory idle stat history presets pipeline
fi
rc=0
$as_user "$programs/foldwatch-bench" "$@" &
pid=$!
wait "$pid" || rc=$?
pid=
[ "$rc" = 0 ] || { say "make bench: nothing was written"; exit "$rc"; }
cp "$work/state/bench.json" build/bench.json
