/*
 * dir.c - directories of file.h: making, measuring and removing trees.
 *
 * A tree may have been written by a build of somebody else's Makefile. So it
 * is walked by descriptors, with no symbolic link followed and no path put
 * together; with one descriptor open, however deep it is; and without
 * recursion. The way back up is "..", checked to be the directory that was
 * come from, because a tree can be moved while it is walked.
 */
#include "lib/file.h"

#include "lib/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSES   16
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A directory on the way from the root of the walk to where it stands. */
struct level {
	char *name; /* in its parent */
	dev_t dev;
	ino_t ino;
	char **subs; /* its directories that are still to be walked */
	size_t sub_count, sub_cap;
};

struct walk {
	const char *root; /* for messages */
	struct level *levels;
	size_t depth, cap;
	int fd; /* the deepest level */
	bool remove;
	uint64_t bytes;
};

static enum err not_found_or_io(void)
{
	return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

static enum err fail(struct walk *k, const char *verb, const char *name, struct why *w)
{
	int code = errno;
	struct buf where;
	enum err e;

	/* the message holds less than a kilobyte of it anyway */
	buf_init(&where, 1024);
	buf_adds(&where, k->root);
	for (size_t i = 1; i < k->depth && !where.full; i++)
		buf_addf(&where, "/%s", k->levels[i].name);
	if (name && !where.full)
		buf_addf(&where, "/%s", name);
	errno = code;
	e = err_sys(w, ERR_IO, "cannot %s \"%s%s\"", verb, where.data, where.full ? "/…" : "");
	buf_release(&where);
	return e;
}

/* Open a directory in order to empty it: give the owner the rights that this
 * takes. The descriptor comes first and is what gets changed, so that no link
 * put in its place sends the change elsewhere. */
static int open_for_removal(int parent, const char *name)
{
	int fd = openat(parent, name, OPEN_DIR);
	char proc[64];
	struct stat st;
	int handle;

	if (fd >= 0) {
		if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
			(void)!fchmod(fd, 0700); /* what it does not mend is seen at once */
		return fd;
	}
	if (errno != EACCES)
		return -1;
	/* fchmod() does not take an O_PATH descriptor; its name in /proc does */
	handle = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (handle < 0)
		return -1;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", handle);
	if (chmod(proc, 0700) == 0)
		fd = openat(handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(handle);
	if (fd < 0)
		errno = EACCES;
	return fd;
}

/* What is mounted inside belongs to somebody else: it is never emptied. */
static bool is_mount(int fd)
{
	struct statx sx;

	return statx(fd, "", AT_EMPTY_PATH, 0, &sx) == 0 &&
	       (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static void add_sub(struct level *l, const char *name)
{
	if (l->sub_count == l->sub_cap) {
		l->sub_cap = l->sub_cap ? l->sub_cap * 2 : 8;
		l->subs = xreallocarray(l->subs, l->sub_cap, sizeof(*l->subs));
	}
	l->subs[l->sub_count++] = xstrdup(name);
}

static enum err measure_entry(struct walk *k, struct level *l, const char *name, struct why *w)
{
	struct stat st;

	if (fstatat(k->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? OK : fail(k, "look at", name, w);
	if (S_ISDIR(st.st_mode))
		add_sub(l, name);
	else if (S_ISREG(st.st_mode) && st.st_size > 0)
		k->bytes = (uint64_t)st.st_size > UINT64_MAX - k->bytes
		                   ? UINT64_MAX
		                   : k->bytes + (uint64_t)st.st_size;
	return OK;
}

static enum err remove_entry(struct walk *k, struct level *l, const char *name, struct why *w)
{
	/* EISDIR says that it is a directory, whatever it was a moment ago */
	if (unlinkat(k->fd, name, 0) == 0 || errno == ENOENT)
		return OK;
	if (errno != EISDIR)
		return fail(k, "remove", name, w);
	if (unlinkat(k->fd, name, AT_REMOVEDIR) != 0) {
		if (errno != ENOTEMPTY && errno != EEXIST)
			return fail(k, "remove", name, w);
		add_sub(l, name);
	}
	return OK;
}

static void clear_subs(struct level *l)
{
	while (l->sub_count > 0)
		free(l->subs[--l->sub_count]);
}

/* One pass over an open directory; *removed counts what went away. */
static enum err read_pass(struct walk *k, DIR *dir, size_t *removed, struct why *w)
{
	struct level *l = &k->levels[k->depth - 1];
	enum err e = OK;

	*removed = 0;
	clear_subs(l);
	while (e == OK) {
		size_t subs = l->sub_count;
		struct dirent *d;

		errno = 0;
		d = readdir(dir);
		if (!d)
			return errno ? fail(k, "read", NULL, w) : OK;
		if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
			continue;
		e = k->remove ? remove_entry(k, l, d->d_name, w)
		              : measure_entry(k, l, d->d_name, w);
		*removed += l->sub_count == subs;
	}
	return e;
}

/* Deal with what is in the directory that was just entered; note its directories. */
static enum err read_level(struct walk *k, struct why *w)
{
	int copy = fcntl(k->fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	enum err e = OK;
	size_t removed;

	if (!dir) {
		e = fail(k, "read", NULL, w);
		if (copy >= 0)
			close(copy);
		return e;
	}
	/* Where entries go away during the reading, a file system may skip some:
	 * read until none went. The bound is for somebody who keeps adding. */
	for (int pass = 0; pass < PASSES; pass++) {
		e = read_pass(k, dir, &removed, w);
		if (e != OK || !k->remove || removed == 0)
			break;
		rewinddir(dir);
	}
	closedir(dir);
	return e;
}

/* Enter `name` below `parent`. *entered is false for what vanished meanwhile. */
static enum err enter(struct walk *k, int parent, char *name, bool *entered, struct why *w)
{
	int fd = k->remove ? open_for_removal(parent, name) : openat(parent, name, OPEN_DIR);
	struct level *l;
	struct stat st;

	*entered = false;
	if (fd < 0) {
		/* ELOOP, ENOTDIR: a link or a file took its place; it is no directory to walk */
		bool gone = errno == ENOENT || (!k->remove && (errno == ELOOP || errno == ENOTDIR));
		enum err e = gone ? OK : fail(k, "open", k->depth ? name : NULL, w);

		free(name);
		return e;
	}
	if (fstat(fd, &st) != 0 || (k->remove && is_mount(fd))) {
		errno = EBUSY;
		fail(k, k->remove ? "remove the mount point" : "look at", k->depth ? name : NULL,
		     w);
		close(fd);
		free(name);
		return ERR_IO;
	}
	if (k->depth == k->cap) {
		k->cap = k->cap ? k->cap * 2 : 16;
		k->levels = xreallocarray(k->levels, k->cap, sizeof(*k->levels));
	}
	l = &k->levels[k->depth++];
	*l = (struct level){.name = name, .dev = st.st_dev, .ino = st.st_ino};
	if (k->fd >= 0)
		close(k->fd);
	k->fd = fd;
	*entered = true;
	return read_level(k, w);
}

static void drop_level(struct walk *k)
{
	struct level *l = &k->levels[--k->depth];

	clear_subs(l);
	free(l->subs);
	free(l->name);
}

/* Go back to the parent, and remove what was left if that is the task. */
static enum err leave(struct walk *k, struct why *w)
{
	const struct level *parent = &k->levels[k->depth - 2];
	struct stat st;
	enum err e = OK;
	int up = openat(k->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (up < 0)
		return fail(k, "go back from", NULL, w);
	close(k->fd);
	k->fd = up;
	if (fstat(up, &st) != 0 || st.st_dev != parent->dev || st.st_ino != parent->ino) {
		errno = ESTALE;
		return fail(k, "go back from", NULL, w);
	}
	if (k->remove && unlinkat(up, k->levels[k->depth - 1].name, AT_REMOVEDIR) != 0 &&
	    errno != ENOENT)
		e = fail(k, "remove", NULL, w);
	drop_level(k);
	return e;
}

/* Walk the tree `name` of the directory `parent`. */
static enum err walk_tree(struct walk *k, int parent, const char *name, struct why *w)
{
	bool entered;
	enum err e = enter(k, parent, xstrdup(name), &entered, w);

	while (e == OK && k->depth > 0) {
		struct level *l = &k->levels[k->depth - 1];

		if (l->sub_count > 0)
			e = enter(k, k->fd, l->subs[--l->sub_count], &entered, w);
		else if (k->depth > 1)
			e = leave(k, w);
		else
			break;
	}
	while (k->depth > 0)
		drop_level(k);
	free(k->levels);
	if (k->fd >= 0)
		close(k->fd);
	return e;
}

/* Split off the last component; trailing slashes do not count, so a link
 * named with one is still a link. NULL when the path has no name to remove. */
static char *split(const char *path, char **base)
{
	size_t len = strlen(path);
	const char *slash;
	char *whole, *dir;

	while (len > 1 && path[len - 1] == '/')
		len--;
	whole = xstrndup(path, len);
	slash = strrchr(whole, '/');
	*base = xstrdup(slash ? slash + 1 : whole);
	if (!slash)
		dir = xstrdup(".");
	else
		dir = slash == whole ? xstrdup("/") : xstrndup(whole, (size_t)(slash - whole));
	free(whole);
	if (**base == '\0' || str_eq(*base, ".") || str_eq(*base, "..")) {
		free(*base);
		free(dir);
		return NULL;
	}
	return dir;
}

enum err dir_remove(const char *path, struct why *w)
{
	struct walk k = {.root = path, .fd = -1, .remove = true};
	char *base, *dir = split(path, &base);
	enum err e = OK;
	int parent;

	if (!dir)
		return err_set(w, ERR_INPUT, "\"%s\" is not a directory that can be removed", path);
	parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0) {
		if (errno != ENOENT)
			e = err_sys(w, ERR_IO, "cannot open directory \"%s\"", dir);
	} else if (unlinkat(parent, base, 0) != 0 && errno != ENOENT) {
		if (errno != EISDIR)
			e = err_sys(w, ERR_IO, "cannot remove \"%s\"", path);
		else
			e = walk_tree(&k, parent, base, w);
		if (e == OK && unlinkat(parent, base, AT_REMOVEDIR) != 0 && errno != ENOENT)
			e = err_sys(w, ERR_IO, "cannot remove \"%s\"", path);
	}
	if (parent >= 0)
		close(parent);
	free(base);
	free(dir);
	return e;
}

enum err dir_bytes(const char *path, uint64_t *bytes, struct why *w)
{
	struct walk k = {.root = path, .fd = -1};
	int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e;

	if (root < 0)
		return err_sys(w, not_found_or_io(), "cannot open directory \"%s\"", path);
	e = walk_tree(&k, root, ".", w);
	close(root);
	*bytes = k.bytes;
	return e;
}

enum err dir_make(const char *path, mode_t mode, struct why *w)
{
	char *copy = xstrdup(path);
	enum err e = OK;
	struct stat st;

	if (path[0] == '\0')
		e = err_set(w, ERR_INPUT, "cannot make a directory without a name");
	for (char *p = copy; e == OK && *p;) {
		char *end, kept, *slash, *dir;
		mode_t own;

		p += strspn(p, "/");
		if (*p == '\0')
			break;
		end = p + strcspn(p, "/");
		kept = *end;
		*end = '\0';
		/* what lies between must let its owner in, to make the rest */
		own = end[kept ? 1 : 0] ? mode | 0300 : mode;
		if (mkdir(copy, own) == 0) {
			slash = strrchr(copy, '/');
			dir = !slash          ? xstrdup(".")
			      : slash == copy ? xstrdup("/")
			                      : xstrndup(copy, (size_t)(slash - copy));
			e = file_sync_dir(dir, w);
			free(dir);
		} else if (errno != EEXIST) {
			/* EROFS, EACCES come before EEXIST on some file systems */
			int code = errno;

			if (stat(copy, &st) != 0 || !S_ISDIR(st.st_mode)) {
				errno = code;
				e = err_sys(w, ERR_IO, "cannot make directory \"%s\"", copy);
			}
		} else if (stat(copy, &st) != 0 || !S_ISDIR(st.st_mode)) {
			e = err_set(w, ERR_IO,
			            "cannot make directory \"%s\": \"%s\" is not a directory", path,
			            copy);
		}
		*end = kept;
		p = end;
	}
	free(copy);
	return e;
}
