#include "agent/cache.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const cache_rooms[] = {"builds", "ccache", "images", "mirrors", NULL};

struct entry {
	char *path;
	struct timespec used;
};

/* The directory may be evicted between its opening and its locking: then the
 * descriptor stands for a directory that has no name any more. */
static bool still_named(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int hold_path(const char *path, struct why *w)
{
	for (int tries = 0; tries < 100; tries++) {
		int fd, rc;

		if (dir_make(path, 0700, w) != OK)
			return -1;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0) {
			if (errno == ENOENT)
				continue;
			err_sys(w, ERR_IO, "cannot open the cache \"%s\"", path);
			return -1;
		}
		do
			rc = flock(fd, LOCK_SH);
		while (rc != 0 && errno == EINTR);
		if (rc != 0) {
			err_sys(w, ERR_IO, "cannot lock the cache \"%s\"", path);
			close(fd);
			return -1;
		}
		if (still_named(fd, path)) {
			(void)!futimens(fd, NULL); /* only the order of eviction hangs on it */
			return fd;
		}
		close(fd);
	}
	err_set(w, ERR_IO, "the cache \"%s\" is removed as often as it is made", path);
	return -1;
}

int cache_hold(const char *dir, const char *entry, struct why *w)
{
	char *path;
	int fd;

	if (!path_is_safe(entry)) {
		err_set(w, ERR_INPUT, "\"%s\" does not name a cache", entry);
		return -1;
	}
	path = path_join(dir, entry);
	fd = hold_path(path, w);
	free(path);
	return fd;
}

static int older_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->used;
	const struct timespec *y = &((const struct entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

static size_t list_room(const char *room, struct entry **list, size_t count)
{
	DIR *d = opendir(room);
	struct dirent *de;

	if (!d)
		return count;
	while ((de = readdir(d))) {
		struct stat st;

		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		*list = xreallocarray(*list, count + 1, sizeof(**list));
		(*list)[count++] = (struct entry){path_join(room, de->d_name), st.st_mtim};
	}
	closedir(d);
	return count;
}

/* False when a step holds it. */
static bool evict_one(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct why w;
	enum err e;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return false;
	}
	/* not a directory: a leftover, but it takes room as well */
	e = fd >= 0 ? dir_remove(path, &w) : file_remove(path, &w);
	if (fd >= 0)
		close(fd);
	if (e == OK)
		log_info("cache.evicted", "path", path, NULL);
	else
		log_warn("cache.not_evicted", "path", path, "why", w.text, NULL);
	return e == OK;
}

enum err cache_evict(const char *dir, uint64_t want, int *evicted, struct why *w)
{
	struct entry *list = NULL;
	size_t count = 0;
	uint64_t bytes = 0;
	int gone = 0;
	enum err e;

	for (size_t i = 0; cache_rooms[i]; i++) {
		char *room = path_join(dir, cache_rooms[i]);

		count = list_room(room, &list, count);
		free(room);
	}
	if (count > 1)
		qsort(list, count, sizeof(*list), older_first);
	e = disk_free(dir, &bytes, w);
	for (size_t i = 0; i < count && e == OK && bytes < want; i++) {
		if (!evict_one(list[i].path))
			continue;
		gone++;
		e = disk_free(dir, &bytes, w);
	}
	for (size_t i = 0; i < count; i++)
		free(list[i].path);
	free(list);
	if (evicted)
		*evicted = gone;
	if (e == OK && bytes < want)
		e = err_set(
		        w, ERR_NO_SPACE,
		        "the disk of \"%s\" has %llu bytes free of the %llu needed, and there is "
		        "no cache left to remove",
		        dir, (unsigned long long)bytes, (unsigned long long)want);
	return e;
}
