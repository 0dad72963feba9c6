#!/bin/sh
# Turn Debian's linux-source tarball into a bare git tree with one commit.
# Usage: source.sh DIR      prints "TREE REF" (file:///… and a commit id)
#
# Author, dates and message are fixed and nothing of this machine's git
# configuration is read, so the commit id depends on the package's content
# alone: two machines with one package version have one commit.
set -eu

dir=$1
say() { printf '%s\n' "$*" >&2; }
die() { say "foldwatch: $*"; exit 1; }

tar=/usr/src/linux-source-6.12.tar.xz
[ -r "$tar" ] || die "$tar is missing (Debian package linux-source-6.12)"
version=$(dpkg-query -W -f '${Version}' linux-source-6.12 2>/dev/null || echo unknown)
repo=$dir/linux-6.12.git
mark=$repo/foldwatch-source

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=foldwatch GIT_AUTHOR_EMAIL=foldwatch@localhost
export GIT_COMMITTER_NAME=foldwatch GIT_COMMITTER_EMAIL=foldwatch@localhost
export GIT_AUTHOR_DATE='2024-11-17T22:15:00Z' GIT_COMMITTER_DATE='2024-11-17T22:15:00Z'

# The mark is written last: a tree that was interrupted is made again.
if [ -r "$mark" ] && read -r have commit <"$mark" && [ "$have" = "$version" ]; then
	printf 'file://%s %s\n' "$repo" "$commit"
	exit 0
fi

free=$(df -Pk "$dir" | awk 'NR==2{print $4}')
[ "$free" -ge 3145728 ] || die "the disk of \"$dir\" has $((free / 1024)) MB free; the kernel source needs 3 GB"

say "foldwatch: making a git tree of linux-source-6.12 $version (about a minute)"
tmp=$repo.new
rm -rf "$tmp" "$dir/linux-source.tmp"
mkdir -p "$dir/linux-source.tmp"
git init -q --bare -b debian "$tmp"
git -C "$tmp" config gc.auto 0
# Blobs over the threshold stream into one pack: 80,000 loose files less.
git -C "$tmp" config core.compression 1
git -C "$tmp" config core.bigFileThreshold 1
tar -xf "$tar" -C "$dir/linux-source.tmp" --strip-components=1 --no-same-owner
export GIT_DIR="$tmp" GIT_WORK_TREE="$dir/linux-source.tmp" GIT_INDEX_FILE="$tmp/index.new"
# --chmod is not needed: git keeps only the execute bit, which tar restores.
(cd "$dir/linux-source.tmp" && git add --all --force .)
tree=$(git write-tree)
commit=$(printf 'linux-source-6.12 %s\n\nThe source as Debian ships it.\n' "$version" | git commit-tree "$tree")
git -C "$tmp" config core.bigFileThreshold 512m
git update-ref refs/heads/debian "$commit"
rm -f "$GIT_INDEX_FILE"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
rm -rf "$dir/linux-source.tmp"
printf '%s %s\n' "$version" "$commit" >"$tmp/foldwatch-source"
rm -rf "$repo"
mv "$tmp" "$repo"
sync -f "$repo" 2>/dev/null || true
printf 'file://%s %s\n' "$repo" "$commit"
