#!/bin/sh
# Copy the state of a foldwatch server, running or not:  backup.sh STATE TO
# TO holds the newest copy, and the database of the copy before as
# foldwatch.db.1. Needs sqlite3(1).
set -eu
state=${1:?state directory} to=${2:?directory of the copy}
umask 077
mkdir -p "$to/artifacts" "$to/logs"
# The database first: an artifact is there before a row names it, so that each
# one that the copy names is in what is copied after. Read-only, because the
# server alone may write its log of changes back.
rm -f "$to/foldwatch.db.new"
sqlite3 -readonly "$state/foldwatch.db" ".timeout 60000" ".backup '$to/foldwatch.db.new'"
[ "$(sqlite3 -readonly "$to/foldwatch.db.new" 'PRAGMA integrity_check')" = ok ] || {
	echo "backup.sh: the copy in $to/foldwatch.db.new is damaged" >&2
	exit 1
}
# An artifact never changes: what is there already is not copied again.
for d in artifacts logs; do
	[ ! -d "$state/$d" ] || cp -Ru --preserve=mode,timestamps "$state/$d/." "$to/$d/"
done
[ ! -e "$to/foldwatch.db" ] || mv -f "$to/foldwatch.db" "$to/foldwatch.db.1"
mv -f "$to/foldwatch.db.new" "$to/foldwatch.db"
sync -f "$to"
