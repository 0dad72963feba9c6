/* files_do.c - the exercises of files.h, one a function. Sizes are odd on purpose: an
 * edge in the middle of a folio is where a batch begins or ends. */
#include "bench/files.h"

#include "bench/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE     FILES_SIZE
#define ODD      (SIZE / 2 + 12328) /* a multiple of 8, in the middle of a page */
#define PFN_MASK ((1ull << 55) - 1)
#define KPF_TAIL (1ull << 16)

/* A file of SIZE bytes, written in pieces for which a file system takes large folios
 * where it has them; -1 after a BUG. */
static int made(struct files *f, const char *name, uint64_t seed)
{
	int fd = openat(f->dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (!files_must(f, fd >= 0, "open(2)"))
		return -1;
	for (size_t at = 0; at < SIZE; at += FILES_CHUNK) {
		files_fill(f->buf, at, FILES_CHUNK, seed);
		if (!files_must(f, !fd_write_all(fd, f->buf, FILES_CHUNK), "write(2)")) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

/* Dirty pages to the disk and out of the cache, so that what is read comes from there. */
static void forget(struct files *f, int fd)
{
	files_must(f, !fsync(fd), "fsync(2)");
	text_write("/proc/sys/vm/drop_caches", "3");
}

/* By read(2): [from, from + len) is what was written. */
static bool reads(struct files *f, int fd, const char *what, size_t from, size_t len, uint64_t seed)
{
	bool good = true;

	for (size_t at = 0; good && at < len; at += FILES_CHUNK) {
		size_t n = len - at < FILES_CHUNK ? len - at : FILES_CHUNK;
		ssize_t got = pread(fd, f->buf, n, (off_t)(from + at));

		if (!files_must(f, got >= 0, "pread(2)"))
			return false;
		if ((size_t)got != n) {
			files_bug(f, "%s: %zd of %zu bytes at 0x%zx", what, got, n, from + at);
			return false;
		}
		good = files_same(f, what, f->buf, from + at, n, seed);
	}
	return good;
}

static char *mapped(struct files *f, int fd, int flags)
{
	char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);

	return files_must(f, at != MAP_FAILED, "mmap(2)") ? at : NULL;
}

/* The largest folio that is mapped there, by its tails. */
static void see_folios(struct files *f, const char *at)
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	size_t tails = 0;
	unsigned int order = 0;

	for (size_t i = 0; map >= 0 && flags >= 0 && i < SIZE / f->page; i++) {
		uint64_t entry = 0, flag = 0;

		if (pread(map, &entry, 8, (off_t)(((uintptr_t)at / f->page + i) * 8)) != 8 ||
		    pread(flags, &flag, 8, (off_t)((entry & PFN_MASK) * 8)) != 8)
			break;
		tails = flag & KPF_TAIL ? tails + 1 : 0;
		while (tails + 1 >= 2ul << order)
			order++;
	}
	if (order > f->tally->folio_order)
		f->tally->folio_order = order;
	if (map >= 0)
		close(map);
	if (flags >= 0)
		close(flags);
}

/* A child does `part` of the exercise and ends; a signal, or another status than 0, is a
 * BUG of its own. */
static void in_child(struct files *f, void (*part)(struct files *f, char *at), char *at)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		part(f, at);
		_exit(0);
	}
	if (files_must(f, pid > 0 && waitpid(pid, &status, 0) == pid, "fork(2)") && status)
		files_bug(f, "a child ended with status 0x%x", (unsigned int)status);
}

/* ---- the exercises */

static bool read_back(struct files *f)
{
	int fd = made(f, "kept", 1);

	if (fd < 0)
		return true;
	reads(f, fd, "from the cache", 0, SIZE, 1);
	forget(f, fd);
	reads(f, fd, "from the disk", 0, SIZE, 1);
	close(fd);
	return true;
}

#define STEP (64ul << 10)
#define OWN  (STEP / 2 + 4096) /* of each step, a page that is written */

/* Pages of seed `own` amid those of the file, and at each edge what it should be. */
static void check_mixed(struct files *f, const char *what, const char *at, size_t from, size_t to,
                        uint64_t seed, uint64_t own)
{
	size_t page = f->page < STEP ? f->page : STEP;

	for (size_t step = from; step < to; step += STEP) {
		size_t one = step + (OWN & ~(page - 1));

		if (page == STEP)
			one = step;
		if (!files_same(f, what, at + step, step, one - step, seed) ||
		    !files_same(f, what, at + one, one, page, own) ||
		    !files_same(f, what, at + one + page, one + page, step + STEP - one - page,
		                seed))
			return;
	}
}

static void own_pages(struct files *f, char *at, uint64_t own)
{
	size_t page = f->page < STEP ? f->page : STEP;

	for (size_t step = 0; step < SIZE; step += STEP) {
		size_t one = page == STEP ? step : step + (OWN & ~(page - 1));

		files_fill(at + one, one, page, own);
	}
}

static void child_owns(struct files *f, char *at)
{
	check_mixed(f, "in the child", at, 0, SIZE, 2, 3);
	own_pages(f, at, 4);
	check_mixed(f, "in the child that wrote", at, 0, SIZE, 2, 4);
}

static bool private_forked(struct files *f)
{
	int fd = made(f, "private", 2);
	char *at = fd < 0 ? NULL : mapped(f, fd, MAP_PRIVATE);

	if (at) {
		forget(f, fd);
		files_same(f, "mapped", at, 0, SIZE, 2);
		see_folios(f, at);
		own_pages(f, at, 3);
		check_mixed(f, "copied on write", at, 0, SIZE, 2, 3);
		for (int i = 0; i < 3; i++)
			in_child(f, child_owns, at);
		check_mixed(f, "after the children", at, 0, SIZE, 2, 3);
		reads(f, fd, "the file itself", 0, SIZE, 2);
		munmap(at, SIZE);
	}
	if (fd >= 0)
		close(fd);
	return true;
}

static void child_reads_5(struct files *f, char *at)
{
	check_mixed(f, "moved, in a child", at, 0, SIZE, 5, 6);
}

static bool private_moved(struct files *f)
{
	int fd = made(f, "moved", 5);
	char *at = fd < 0 ? NULL : mapped(f, fd, MAP_PRIVATE), *room, *to;

	if (at) {
		/* As they were written; what is read from the disk comes in smaller ones. */
		files_same(f, "mapped", at, 0, SIZE, 5);
		see_folios(f, at);
		own_pages(f, at, 6);
		room = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		/* One page off: no block of contiguous entries lies as it did. */
		to = room + f->page;
		if (files_must(f, room != MAP_FAILED, "mmap(2)") &&
		    files_must(f, mremap(at, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
		               "mremap(2)")) {
			check_mixed(f, "moved", to, 0, SIZE, 5, 6);
			in_child(f, child_reads_5, to);
			/* A hole in mid-block, and what is left of it. */
			munmap(to + 2 * STEP, STEP);
			check_mixed(f, "before a hole", to, 0, 2 * STEP, 5, 6);
			check_mixed(f, "behind a hole", to, 3 * STEP, SIZE, 5, 6);
		}
		munmap(room, 2 * SIZE);
	}
	if (fd >= 0)
		close(fd);
	return true;
}

static bool private_dropped(struct files *f)
{
	int fd = made(f, "dropped", 7);
	char *at = fd < 0 ? NULL : mapped(f, fd, MAP_PRIVATE);

	if (at) {
		own_pages(f, at, 8);
		/* The copies of the first half go, the file's pages come again. */
		files_must(f, !madvise(at, SIZE / 2, MADV_DONTNEED), "MADV_DONTNEED");
		files_same(f, "dropped", at, 0, SIZE / 2, 7);
		check_mixed(f, "kept", at, SIZE / 2, SIZE, 7, 8);
		/* Clean pages of the file can be taken without a swap. */
		files_must(f, !fsync(fd), "fsync(2)");
		madvise(at, SIZE, MADV_COLD);
		madvise(at, SIZE, MADV_PAGEOUT);
		files_same(f, "paged out", at, 0, SIZE / 2, 7);
		check_mixed(f, "not paged out", at, SIZE / 2, SIZE, 7, 8);
		files_must(f, !mprotect(at + STEP, STEP, PROT_READ), "mprotect(2)");
		files_must(f, !mlock(at + 3 * STEP, STEP), "mlock(2)");
		files_same(f, "protected in part", at, 0, SIZE / 2, 7);
		munmap(at, SIZE);
	}
	if (fd >= 0)
		close(fd);
	return true;
}

static void child_writes_shared(struct files *f, char *at)
{
	(void)f;
	files_fill(at + ODD, ODD, STEP, 11);
}

static bool shared_written(struct files *f)
{
	int fd = made(f, "shared", 10);
	char *at = fd < 0 ? NULL : mapped(f, fd, MAP_SHARED);

	if (at) {
		in_child(f, child_writes_shared, at);
		files_same(f, "a child's writing", at + ODD, ODD, STEP, 11);
		files_must(f, !msync(at, SIZE, MS_SYNC), "msync(2)");
		reads(f, fd, "before it", 0, ODD, 10);
		reads(f, fd, "a child's writing, read", ODD, STEP, 11);
		munmap(at, SIZE);
		forget(f, fd);
		reads(f, fd, "a child's writing, from the disk", ODD, STEP, 11);
		reads(f, fd, "behind it", ODD + STEP, SIZE - ODD - STEP, 10);
	}
	if (fd >= 0)
		close(fd);
	return true;
}

static char *beyond; /* of the file's end */

static void child_reads_beyond(struct files *f, char *at)
{
	int status = 0;
	pid_t pid = fork();

	(void)at;
	if (!pid) {
		volatile char *p = beyond;

		signal(SIGBUS, SIG_DFL);
		(void)*p;
		_exit(0);
	}
	if (files_must(f, pid > 0 && waitpid(pid, &status, 0) == pid, "fork(2)") &&
	    (!WIFSIGNALED(status) || WTERMSIG(status) != SIGBUS))
		files_bug(f, "a page behind the end of a file could be read (status 0x%x)",
		          (unsigned int)status);
}

static bool truncated(struct files *f)
{
	int fd = made(f, "truncated", 12);
	char *at = fd < 0 ? NULL : mapped(f, fd, MAP_SHARED);
	size_t end = (ODD + f->page - 1) & ~(f->page - 1); /* of its last page */

	if (at) {
		files_same(f, "mapped", at, 0, SIZE, 12);
		files_must(f, !ftruncate(fd, (off_t)ODD), "ftruncate(2)");
		files_same(f, "what is left", at, 0, ODD, 12);
		files_zero(f, "the rest of the last page", at + ODD, end - ODD);
		beyond = at + end;
		child_reads_beyond(f, at);
		files_must(f, !ftruncate(fd, (off_t)SIZE), "ftruncate(2)");
		files_zero(f, "what was cut off", at + ODD, SIZE - ODD);
		munmap(at, SIZE);
		forget(f, fd);
		reads(f, fd, "what is left, from the disk", 0, ODD, 12);
	}
	if (fd >= 0)
		close(fd);
	return true;
}

static bool punched(struct files *f)
{
	int fd = made(f, "punched", 13);
	char *at = fd < 0 ? NULL : mapped(f, fd, MAP_SHARED);
	bool can = true;

	if (at) {
		files_same(f, "mapped", at, 0, SIZE, 13);
		can = !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)ODD, STEP);
		if (can) {
			files_same(f, "before the hole", at, 0, ODD, 13);
			files_zero(f, "the hole", at + ODD, STEP);
			files_same(f, "behind the hole", at + ODD + STEP, ODD + STEP,
			           SIZE - ODD - STEP, 13);
		}
		/* 2M out of the middle: what was behind it has moved up. */
		if (can && !fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, (off_t)FILES_CHUNK,
		                      (off_t)FILES_CHUNK)) {
			files_same(f, "before what was taken out", at, 0, FILES_CHUNK, 13);
			files_same(f, "what moved up", at + 2 * FILES_CHUNK, 3 * FILES_CHUNK,
			           FILES_CHUNK, 13);
		}
		munmap(at, SIZE);
	}
	if (fd >= 0)
		close(fd);
	return can;
}

static bool direct(struct files *f)
{
	int fd = made(f, "direct", 14);
	int around = fd < 0 ? -1 : openat(f->dir, "direct", O_RDWR | O_DIRECT | O_CLOEXEC);
	char *at = around < 0 ? NULL : mapped(f, fd, MAP_SHARED);

	if (at) {
		files_same(f, "mapped", at, 0, SIZE, 14);
		files_must(f, !fsync(fd), "fsync(2)");
		/* Around the cache, whose folios have to go. */
		files_fill(f->buf, 3 * STEP, STEP, 15);
		files_must(f, pwrite(around, f->buf, STEP, (off_t)(3 * STEP)) == (ssize_t)STEP,
		           "pwrite(2) around the cache");
		files_same(f, "before it", at, 0, 3 * STEP, 14);
		files_same(f, "written around the cache", at + 3 * STEP, 3 * STEP, STEP, 15);
		files_same(f, "behind it", at + 4 * STEP, 4 * STEP, SIZE - 4 * STEP, 14);
		munmap(at, SIZE);
	}
	if (around >= 0)
		close(around);
	if (fd >= 0)
		close(fd);
	return around >= 0;
}

static bool copied(struct files *f)
{
	int from = made(f, "from", 16);
	int to = openat(f->dir, "to", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t done = 0;

	if (from >= 0 && files_must(f, to >= 0, "open(2)")) {
		while (done < SIZE) {
			off_t a = (off_t)done, b = (off_t)done;
			ssize_t n = copy_file_range(from, &a, to, &b, SIZE - done, 0);

			if (n <= 0)
				break;
			done += (size_t)n;
		}
		if (done == SIZE) {
			reads(f, to, "the copy", 0, SIZE, 16);
			/* Where both share their blocks, only one of them changes. */
			files_fill(f->buf, 5 * STEP, STEP, 17);
			files_must(f, pwrite(to, f->buf, STEP, (off_t)(5 * STEP)) == (ssize_t)STEP,
			           "pwrite(2)");
			forget(f, to);
			reads(f, from, "what was copied", 0, SIZE, 16);
			reads(f, to, "the copy that was written to", 5 * STEP, STEP, 17);
		}
	}
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return done == SIZE;
}

/* Code that is mapped from this file system, in a process of its own. */
static bool run(struct files *f)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = openat(f->dir, "program", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	int status = 0;
	ssize_t n;
	pid_t pid;

	if (!files_must(f, self >= 0 && to >= 0, "open(2)"))
		return true;
	while ((n = read(self, f->buf, FILES_CHUNK)) > 0)
		files_must(f, !fd_write_all(to, f->buf, (size_t)n), "write(2)");
	forget(f, to);
	close(self);
	close(to);
	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (!pid) {
			char name[] = "program", list[] = "list";
			char *const argv[] = {name, list, NULL};
			int null = open("/dev/null", O_WRONLY);

			dup2(null, STDOUT_FILENO);
			to = openat(f->dir, "program", O_RDONLY | O_CLOEXEC);
			fexecve(to, argv, (char *const[]){NULL});
			_exit(127);
		}
		if (files_must(f, pid > 0 && waitpid(pid, &status, 0) == pid, "fork(2)") && status)
			files_bug(f, "a program on this file system ended with status 0x%x",
			          (unsigned int)status);
		f->tally->checks++;
	}
	return true;
}

static bool many(struct files *f)
{
	char name[32], other[32];
	struct stat st;

	files_must(f, !mkdirat(f->dir, "many", 0755), "mkdir(2)");
	for (unsigned long i = 0; i < 200; i++) {
		int fd;

		snprintf(name, sizeof(name), "many/%lu", i);
		fd = openat(f->dir, name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		files_fill(f->buf, 0, STEP, 100 + i);
		files_must(f, fd >= 0 && !fd_write_all(fd, f->buf, i * 264), "write(2)");
		if (fd >= 0)
			close(fd);
		snprintf(other, sizeof(other), "many/n%lu", i);
		if (i % 3 == 0)
			files_must(f, !renameat(f->dir, name, f->dir, other), "rename(2)");
		if (i % 3 == 1)
			files_must(f, !unlinkat(f->dir, name, 0), "unlink(2)");
	}
	sync();
	text_write("/proc/sys/vm/drop_caches", "3");
	for (unsigned long i = 0; i < 200; i++) {
		size_t size = i * 264;
		int fd;

		snprintf(name, sizeof(name), i % 3 == 0 ? "many/n%lu" : "many/%lu", i);
		if (i % 3 == 1) {
			if (!fstatat(f->dir, name, &st, 0))
				files_bug(f, "\"%s\" is there, and was removed", name);
			continue;
		}
		fd = openat(f->dir, name, O_RDONLY | O_CLOEXEC);
		if (!files_must(f, fd >= 0 && !fstat(fd, &st), name))
			continue;
		if ((size_t)st.st_size != size)
			files_bug(f, "\"%s\" has %lld bytes, not %zu", name, (long long)st.st_size,
			          size);
		else if (size)
			reads(f, fd, name, 0, size, 100 + i);
		close(fd);
	}
	return true;
}

static bool removed_while_mapped(struct files *f)
{
	int fd = made(f, "removed", 18);
	char *at = fd < 0 ? NULL : mapped(f, fd, MAP_SHARED);

	if (at) {
		files_must(f, !unlinkat(f->dir, "removed", 0), "unlink(2)");
		close(fd);
		fd = -1;
		files_fill(at + ODD, ODD, STEP, 19);
		sync();
		text_write("/proc/sys/vm/drop_caches", "3");
		files_same(f, "of a file without a name", at, 0, ODD, 18);
		files_same(f, "written to it", at + ODD, ODD, STEP, 19);
		munmap(at, SIZE);
	}
	if (fd >= 0)
		close(fd);
	return true;
}

/* The first file again, behind all the others. */
static bool kept(struct files *f)
{
	int fd = openat(f->dir, "kept", O_RDONLY | O_CLOEXEC);

	if (files_must(f, fd >= 0, "open(2)")) {
		text_write("/proc/sys/vm/drop_caches", "3");
		reads(f, fd, "from the disk", 0, SIZE, 1);
		close(fd);
	}
	return true;
}

const struct files_exercise files_exercises[] = {
        {"read back", read_back},
        {"a private mapping, forked", private_forked},
        {"a private mapping, moved", private_moved},
        {"a private mapping, dropped", private_dropped},
        {"a shared mapping, written", shared_written},
        {"truncated", truncated},
        {"punched", punched},
        {"around the cache", direct},
        {"copied", copied},
        {"a program", run},
        {"many files", many},
        {"removed while mapped", removed_while_mapped},
        {"kept", kept},
        {NULL, NULL},
};
