/*
 * outfile.c - see outfile.h.
 */
#include "agent/outfile.h"

#include "lib/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK 65536

static enum err open_below(const char *root, const char *name, int64_t max, int *fd, int64_t *bytes,
                           struct why *w)
{
	struct open_how how = {.flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	                                  RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char limit[32];
	struct stat st;

	*fd = -1;
	*bytes = 0;
	if (dir < 0)
		return err_sys(w, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open \"%s\"",
		               root);
	*fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	close(dir);
	if (*fd < 0 && (errno == ELOOP || errno == EXDEV))
		return err_set(w, ERR_INPUT, "\"%s\" is a link, or lies behind one", name);
	if (*fd < 0)
		return err_sys(w, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open \"%s\"",
		               name);
	if (fstat(*fd, &st) || !S_ISREG(st.st_mode)) {
		close(*fd);
		return err_set(w, ERR_INPUT, "\"%s\" is no plain file", name);
	}
	*bytes = st.st_size;
	if (st.st_size > max) {
		close(*fd);
		size_format((uint64_t)max, limit, sizeof(limit));
		return err_set(w, ERR_TOO_LARGE, "\"%s\" is larger than %s", name, limit);
	}
	return OK;
}

static enum err write_all(int fd, const char *data, size_t len, const char *to, struct why *w)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(w, ERR_IO, "cannot write \"%s\"", to);
		data += n;
		len -= (size_t)n;
	}
	return OK;
}

enum err outfile_copy(const char *root, const char *name, const char *to, int64_t max,
                      int64_t *bytes, struct why *w)
{
	static _Thread_local char data[CHUNK];
	int64_t size = 0, copied = 0;
	int in = -1, out;
	enum err e = open_below(root, name, max, &in, &size, w);

	if (e)
		return e;
	unlink(to);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (out < 0)
		e = err_sys(w, ERR_IO, "cannot make \"%s\"", to);
	/* What stood there when it was looked at, should it still grow. */
	while (!e && copied < size) {
		size_t want = size - copied < CHUNK ? (size_t)(size - copied) : CHUNK;
		ssize_t n = read(in, data, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			e = n < 0 ? err_sys(w, ERR_IO, "cannot read \"%s\"", name)
			          : err_set(w, ERR_IO, "\"%s\" became shorter", name);
			break;
		}
		e = write_all(out, data, (size_t)n, to, w);
		copied += n;
	}
	if (!e && fsync(out))
		e = err_sys(w, ERR_IO, "cannot sync \"%s\"", to);
	if (out >= 0)
		close(out);
	close(in);
	if (bytes)
		*bytes = copied;
	return e;
}

enum err outfile_read(const char *root, const char *name, struct buf *out, struct why *w)
{
	char data[4096];
	int64_t size;
	ssize_t n;
	int in = -1;
	enum err e = open_below(root, name, (int64_t)out->max, &in, &size, w);

	if (e)
		return e;
	while ((n = read(in, data, sizeof(data))) > 0) {
		if (!buf_add(out, data, (size_t)n)) {
			e = err_set(w, ERR_TOO_LARGE, "\"%s\" grows past %zu bytes", name,
			            out->max);
			break;
		}
	}
	if (n < 0)
		e = err_sys(w, ERR_IO, "cannot read \"%s\"", name);
	close(in);
	return e;
}
