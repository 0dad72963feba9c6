#!/bin/sh
# The main job, as `make run` calls it: install what is missing, build, and let
# `foldwatch up` do the rest as an unprivileged user.
#
# Environment (all optional): DIR LISTEN ONCE TREE REF IMAGES YES, see README.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here"
say() { printf '%s\n' "$*" >&2; }
die() { say "foldwatch: $*"; failed; }
# With ONCE the last line is `result N`, whatever went wrong.
failed() { [ -z "${ONCE-}" ] || echo "result 1"; exit 1; }

DIR=${DIR:-var}
LISTEN=${LISTEN:-127.0.0.1:8080}
goal=run
[ -z "${IMAGES-}" ] || goal=images
[ -z "${TREE-}" ] || [ -n "${REF-}" ] || die "TREE is set and REF is not: name the branch, tag or commit of it"
for image in ${IMAGES-}; do
	[ -r "$image" ] || die "the image \"$image\" cannot be read"
done

kernel/recipe/deps.sh "$goal" || failed
${MAKE:-make} --no-print-directory -s -j"$(nproc)" programs >&2 || die "foldwatch itself did not build"
${MAKE:-make} --no-print-directory -s web >&2 || failed # its rule has told why

programs=$here/build
share=$here
as_user=
user=foldwatch
if [ "$(id -u)" = 0 ]; then
	home=/var/lib/foldwatch
	if ! id "$user" >/dev/null 2>&1; then
		useradd --system --user-group --home-dir "$home" --shell /usr/sbin/nologin "$user" ||
			die "cannot make the user \"$user\" that everything runs as"
	fi
	install -d -o "$user" -g "$user" -m 0755 "$home"
	as_user="setpriv --reuid=$user --regid=$user --init-groups --reset-env"
	# Where the checkout is closed to that user (/root is 0700), programs and
	# state move out, and ./var leads there.
	if ! { $as_user test -x "$programs/foldwatch" && $as_user test -r "$programs/web/index.html" &&
		$as_user test -r "$share/kernel/recipe/source.sh"; } 2>/dev/null; then
		say "foldwatch: the user \"$user\" cannot enter $here: using $home"
		install -d -m 0755 "$home/programs" "$home/programs/build"
		for p in foldwatch foldwatchd foldwatch-agent foldbench foldbench-arm64 foldwatch-profile.so; do
			install -m 0755 "build/$p" "$home/programs/build/$p.new"
			mv -f "$home/programs/build/$p.new" "$home/programs/build/$p"
		done
		rm -rf "$home/programs/build/web" "$home/programs/kernel"
		cp -r build/web "$home/programs/build/"
		cp -r kernel "$home/programs/"
		chmod -R a+rX "$home/programs"
		programs=$home/programs/build share=$home/programs
		if [ "$DIR" = var ]; then
			install -d -o "$user" -g "$user" -m 0755 "$home/state"
			if [ -d var ] && [ ! -L var ]; then
				rmdir var 2>/dev/null ||
					die "./var holds state that the user \"$user\" cannot reach: move it to $home/state"
			fi
			ln -sfn "$home/state" var
		fi
	fi
	mkdir -p "$DIR" 2>/dev/null || die "cannot make the state directory \"$DIR\""
	chown "$user:" "$DIR/." 2>/dev/null || true
	$as_user test -w "$(cd "$DIR" && pwd -P)" 2>/dev/null ||
		die "the user \"$user\" cannot write to DIR=$DIR: choose a directory whose parents others may enter"
else
	mkdir -p "$DIR" 2>/dev/null || die "cannot make the state directory \"$DIR\""
fi
DIR=$(cd "$DIR" && pwd -P)

set -- --dir "$DIR" --listen "$LISTEN" --share "$share"
[ -z "${ONCE-}" ] || set -- "$@" --once
if [ -n "${IMAGES-}" ]; then
	n=0
	for image in $IMAGES; do
		n=$((n + 1))
		# Root may read what the user may not: such an image is handed over.
		if [ -n "$as_user" ] && ! $as_user test -r "$(realpath "$image")"; then
			name=$(basename "$image")
			[ "$name" != Image ] || name=$(basename "$(dirname "$(realpath "$image")")")
			install -d -o "$user" "$DIR/handed"
			install -o "$user" -m 0644 "$image" "$DIR/handed/$n.Image"
			set -- "$@" --image "$(printf '%s' "$name" | tr -c 'A-Za-z0-9._+-' -)=$DIR/handed/$n.Image"
		else
			set -- "$@" --image "$(realpath "$image")"
		fi
	done
elif [ -n "${TREE-}" ]; then
	set -- "$@" --tree "$TREE" --ref "$REF"
else
	source=$($as_user "$share/kernel/recipe/source.sh" "$DIR") || failed
	set -- "$@" --tree "${source% *}" --ref "${source#* }"
fi

# From here on nothing of ours runs as root. `foldwatch up` ends with 0, 3
# (a cell is unsure or invalid: no failure of make) or another number.
rc=0
# A Ctrl-C reaches `foldwatch up` too, which stops everything; this script
# waits for it.
trap : INT TERM HUP
# shellcheck disable=SC2086
$as_user ${as_user:+env PATH="$PATH"} "$programs/foldwatch" up "$@" || rc=$?
[ "$rc" = 3 ] && rc=0
exit "$rc"
