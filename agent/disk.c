#include "agent/disk.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MKFS_SECONDS 60

/* Not in the PATH of who is no administrator. */
static const char *mkfs(void)
{
	static const char *const at[] = {"/usr/sbin/mkfs.xfs", "/sbin/mkfs.xfs",
	                                 "/usr/bin/mkfs.xfs"};

	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		if (!access(at[i], X_OK))
			return at[i];
	return NULL;
}

enum err disk_make(const char *path, struct why *w)
{
	const char *program = mkfs();
	const char *argv[] = {program, "-q", path, NULL};
	struct proc_spec spec = {.argv = argv, .timeout_ns = MKFS_SECONDS * NS_PER_S};
	struct buf out;
	int fd;
	enum err e = OK;

	if (!program)
		return err_set(w, ERR_NOT_FOUND,
		               "mkfs.xfs is not installed here (Debian: xfsprogs)");
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(w, ERR_IO, "\"%s\": %s", path, strerror(errno));
	if (ftruncate(fd, DISK_BYTES))
		e = err_set(w, ERR_IO, "\"%s\": %s", path, strerror(errno));
	close(fd);
	buf_init(&out, 65536);
	if (e == OK)
		e = proc_run(&spec, &out, w);
	buf_release(&out);
	if (e != OK)
		unlink(path);
	return e;
}
