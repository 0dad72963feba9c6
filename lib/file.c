#include "lib/file.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PIECE (64 * 1024)

/* A new file beside its target, under a name of its own until it is whole. */
struct draft {
	char *dir;
	char *path;
	int fd;
};

static enum err not_found_or_io(void)
{
	return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

static ssize_t read_some(int fd, void *data, size_t len)
{
	ssize_t n;

	do
		n = read(fd, data, len);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The directory that holds path: "." for a bare name. */
static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

enum err file_read(const char *path, struct buf *out, struct why *w)
{
	size_t before = out->len;
	enum err e = OK;
	char *piece;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(w, not_found_or_io(), "cannot open \"%s\"", path);
	piece = xmalloc(PIECE);
	/* The length is not asked for first: files in /proc and pipes tell none. */
	while ((n = read_some(fd, piece, PIECE)) > 0) {
		if (!buf_add(out, piece, (size_t)n)) {
			e = err_set(w, ERR_TOO_LARGE, "\"%s\" is larger than the %zu bytes allowed",
			            path, out->max - before);
			break;
		}
	}
	if (n < 0)
		e = err_sys(w, ERR_IO, "cannot read \"%s\"", path);
	if (e != OK && out->len > before) {
		out->len = before;
		out->data[before] = '\0';
	}
	free(piece);
	close(fd);
	return e;
}

static enum err draft_open(struct draft *d, const char *target, struct why *w)
{
	d->dir = dir_of(target);
	d->path = xasprintf("%s/" FILE_DRAFT_PREFIX "XXXXXX", d->dir);
	d->fd = mkostemp(d->path, O_CLOEXEC);
	if (d->fd < 0) {
		enum err e =
		        err_sys(w, not_found_or_io(), "cannot make a file beside \"%s\"", target);

		free(d->path);
		d->path = NULL;
		return e;
	}
	return OK;
}

/* Also after draft_open() failed. */
static void draft_drop(struct draft *d)
{
	if (d->fd >= 0)
		close(d->fd);
	if (d->path)
		unlink(d->path);
	free(d->path);
	free(d->dir);
}

/* Make the draft durable under its name, or leave nothing of it. */
static enum err draft_settle(struct draft *d, const char *target, mode_t mode, struct why *w)
{
	enum err e = OK;
	int fd = d->fd;

	/* mkostemp() made it 0600; umask has no say in a mode that was asked for */
	if (fchmod(fd, mode) != 0 || fsync(fd) != 0) {
		e = err_sys(w, ERR_IO, "cannot write \"%s\"", target);
	} else {
		d->fd = -1;
		if (close(fd) != 0)
			e = err_sys(w, ERR_IO, "cannot write \"%s\"", target);
		else if (rename(d->path, target) != 0)
			e = err_sys(w, ERR_IO, "cannot replace \"%s\"", target);
	}
	if (e != OK) {
		draft_drop(d);
		return e;
	}
	e = file_sync_dir(d->dir, w);
	free(d->path);
	free(d->dir);
	return e;
}

enum err file_write(const char *path, const void *data, size_t len, mode_t mode, struct why *w)
{
	struct draft d;
	enum err e = draft_open(&d, path, w);

	if (e == OK && !write_all(d.fd, data, len))
		e = err_sys(w, ERR_IO, "cannot write \"%s\"", path);
	if (e != OK) {
		draft_drop(&d);
		return e;
	}
	return draft_settle(&d, path, mode, w);
}

static enum err copy_data(int in, int out, const char *from, const char *to, struct why *w)
{
	enum err e = OK;
	char *piece;
	ssize_t n;

	if (ioctl(out, FICLONE, in) == 0)
		return OK;
	/* The kernel's own copy moves both offsets as far as it comes. What it
	 * cannot do (other file systems, files of /proc) is left to the loop. */
	while (copy_file_range(in, NULL, out, NULL, 1 << 30, 0) > 0)
		;
	piece = xmalloc(PIECE);
	while ((n = read_some(in, piece, PIECE)) > 0) {
		if (!write_all(out, piece, (size_t)n)) {
			e = err_sys(w, ERR_IO, "cannot write \"%s\"", to);
			break;
		}
	}
	if (n < 0)
		e = err_sys(w, ERR_IO, "cannot read \"%s\"", from);
	free(piece);
	return e;
}

enum err file_copy(const char *from, const char *to, struct why *w)
{
	struct draft d;
	struct stat st;
	enum err e;
	int in;

	/* O_NONBLOCK: the open of a FIFO that nobody writes must not hang */
	in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (in < 0)
		return err_sys(w, not_found_or_io(), "cannot open \"%s\"", from);
	if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(in);
		return err_set(w, ERR_INPUT, "\"%s\" is not a regular file", from);
	}
	e = draft_open(&d, to, w);
	if (e == OK)
		e = copy_data(in, d.fd, from, to, w);
	if (e == OK)
		/* no set-user-id bit travels with a copy */
		e = draft_settle(&d, to, st.st_mode & 0777, w);
	else
		draft_drop(&d);
	close(in);
	return e;
}

enum err file_sync_dir(const char *path, struct why *w)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = OK;

	if (fd < 0)
		return err_sys(w, not_found_or_io(), "cannot open directory \"%s\"", path);
	/* EINVAL: a file system that has nothing to write back for a directory */
	if (fsync(fd) != 0 && errno != EINVAL)
		e = err_sys(w, ERR_IO, "cannot write back directory \"%s\"", path);
	close(fd);
	return e;
}

/* A name must not become durable before the content that it stands for. */
static enum err sync_content(const char *path, struct why *w)
{
	enum err e = OK;
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0)
		return err_sys(w, not_found_or_io(), "cannot look at \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return OK;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_sys(w, not_found_or_io(), "cannot open \"%s\"", path);
	if (fsync(fd) != 0)
		e = err_sys(w, ERR_IO, "cannot write back \"%s\"", path);
	close(fd);
	return e;
}

enum err file_rename(const char *from, const char *to, struct why *w)
{
	char *from_dir, *to_dir;
	enum err e;

	e = sync_content(from, w);
	if (e != OK)
		return e;
	if (rename(from, to) != 0)
		return err_sys(w, not_found_or_io(), "cannot rename \"%s\" to \"%s\"", from, to);
	from_dir = dir_of(from);
	to_dir = dir_of(to);
	/* the new name first: between the two a file has two names, never none */
	e = file_sync_dir(to_dir, w);
	if (e == OK && !str_eq(from_dir, to_dir))
		e = file_sync_dir(from_dir, w);
	free(from_dir);
	free(to_dir);
	return e;
}

enum err file_remove(const char *path, struct why *w)
{
	char *dir;
	enum err e;

	if (unlink(path) != 0) {
		if (errno == ENOENT)
			return OK;
		return err_sys(w, ERR_IO, "cannot remove \"%s\"", path);
	}
	dir = dir_of(path);
	e = file_sync_dir(dir, w);
	free(dir);
	return e;
}

enum err disk_free(const char *path, uint64_t *bytes, struct why *w)
{
	struct statvfs v;

	if (statvfs(path, &v) != 0)
		return err_sys(w, not_found_or_io(), "cannot ask for the free space of \"%s\"",
		               path);
	*bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return OK;
}

static enum err lock_holder(int fd, const char *path, struct why *w)
{
	char text[16];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	ssize_t digits = 0;

	while (digits < n && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	if (digits == 0)
		return err_set(w, ERR_CONFLICT, "\"%s\" is locked by another process", path);
	return err_set(w, ERR_CONFLICT, "\"%s\" is locked by process %.*s", path, (int)digits,
	               text);
}

enum err file_lock(const char *path, int *fd, struct why *w)
{
	char pid[16];
	enum err e;
	int n, rc;

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return err_sys(w, not_found_or_io(), "cannot open lock \"%s\"", path);
	do
		rc = flock(*fd, LOCK_EX | LOCK_NB);
	while (rc != 0 && errno == EINTR);
	if (rc != 0) {
		if (errno == EWOULDBLOCK)
			e = lock_holder(*fd, path, w);
		else
			e = err_sys(w, ERR_IO, "cannot lock \"%s\"", path);
		close(*fd);
		*fd = -1;
		return e;
	}
	/* The pid is for people; a disk too full to hold it takes no lock away. */
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(*fd, 0) == 0 && pwrite(*fd, pid, (size_t)n, 0) != n)
		(void)!ftruncate(*fd, 0);
	return OK;
}

char *path_join(const char *dir, const char *name)
{
	if (dir[0] == '\0')
		return xstrdup(name);
	return xasprintf("%s%s%s", dir, str_ends(dir, "/") ? "" : "/", name);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool path_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

bool path_is_safe(const char *path)
{
	const char *part = path;

	for (const char *p = path;; p++) {
		unsigned char c = (unsigned char)*p;

		if (c != '\0' && (c < 0x20 || c == 0x7f))
			return false;
		if (c != '/' && c != '\0')
			continue;
		if (p == part || (p == part + 1 && part[0] == '.') ||
		    (p == part + 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (c == '\0')
			return true;
		part = p + 1;
	}
}
