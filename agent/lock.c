/*
 * lock.c - see lock.h.
 */
#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int lock_wait(const char *path, void (*held)(const void *arg), const void *arg, struct why *w)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		err_sys(w, ERR_IO, "cannot open the lock \"%s\"", path);
		return -1;
	}
	if (held && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		held(arg);
	while (flock(fd, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		err_sys(w, ERR_IO, "cannot lock \"%s\"", path);
		close(fd);
		return -1;
	}
	return fd;
}
