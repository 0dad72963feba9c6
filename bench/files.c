#include "bench/files.h"

#include "bench/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT "/files"

static struct files_tally *tally; /* shared with the child that does it; NULL: no disk */

uint64_t files_word(uint64_t seed, uint64_t offset)
{
	uint64_t x = (offset + 1) * 0x9e3779b97f4a7c15u ^ seed * 0xd6e8feb86659fd93u;

	x ^= x >> 32;
	return x ? x : 1; /* a word that was lost is 0 */
}

void files_fill(void *at, uint64_t offset, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = files_word(seed, offset + i);

		memcpy((char *)at + i, &word, len - i < 8 ? len - i : 8);
	}
}

void files_bug(struct files *f, const char *fmt, ...)
{
	char text[256], line[400];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* <2>: critical, so that no console's level keeps it back. */
	n = snprintf(line, sizeof(line), "<2>BUG: foldbench: files: %s: %s\n", f->tally->now, text);
	f->tally->wrong++;
	if (write(f->log, line, (size_t)n) != n)
		fd_write_all(STDOUT_FILENO, line + 3, (size_t)n - 3);
}

bool files_must(struct files *f, bool holds, const char *what)
{
	if (!holds)
		files_bug(f, "%s: %s", what, strerror(errno));
	return holds;
}

bool files_same(struct files *f, const char *what, const void *at, uint64_t offset, size_t len,
                uint64_t seed)
{
	f->tally->checks++;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t want = files_word(seed, offset + i), got = 0;
		size_t n = len - i < 8 ? len - i : 8;

		memcpy(&got, (const char *)at + i, n);
		if (n < 8)
			want &= UINT64_MAX >> (64 - 8 * n);
		if (got == want)
			continue;
		files_bug(f, "%s: at offset 0x%llx is %016llx, not %016llx", what,
		          (unsigned long long)offset + i, (unsigned long long)got,
		          (unsigned long long)want);
		return false;
	}
	return true;
}

bool files_zero(struct files *f, const char *what, const void *at, size_t len)
{
	const char *p = at;

	f->tally->checks++;
	for (size_t i = 0; i < len; i++)
		if (p[i]) {
			files_bug(f, "%s: byte %zu of %zu is %02x, not 0", what, i, len,
			          (unsigned char)p[i]);
			return false;
		}
	return true;
}

static bool mount_disk(struct files_tally *t)
{
	static const char *const types[] = {"xfs", "btrfs", "ext4"};

	mkdir(AT, 0755);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!mount(FILES_DISK, AT, types[i], 0, NULL)) {
			snprintf(t->type, sizeof(t->type), "%s", types[i]);
			return true;
		}
	snprintf(t->why, sizeof(t->why), "%s cannot be mounted: %s", FILES_DISK, strerror(errno));
	return false;
}

static void all_exercises(struct files_tally *t, int log)
{
	struct files f = {.dir = open(AT, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	                  .log = log,
	                  .page = (size_t)sysconf(_SC_PAGESIZE),
	                  .buf = mmap(NULL, FILES_CHUNK, PROT_READ | PROT_WRITE,
	                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	                  .tally = t};

	snprintf(t->now, sizeof(t->now), "begin");
	if (!files_must(&f, f.dir >= 0 && f.buf != MAP_FAILED, "no directory, or no memory"))
		return;
	for (const struct files_exercise *x = files_exercises; x->name; x++) {
		snprintf(t->now, sizeof(t->now), "%s", x->name);
		if (x->run(&f))
			t->exercises++;
		else
			t->left_out++;
	}
}

void files_exercise(void)
{
	struct files f = {0};
	int status = 0;
	pid_t pid;

	if (access(FILES_DISK, F_OK))
		return;
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	             0);
	if (tally == MAP_FAILED) {
		tally = NULL;
		return;
	}
	if (!mount_disk(tally))
		return;
	f.tally = tally;
	f.log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	pid = fork();
	if (!pid) {
		all_exercises(tally, f.log);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		if (pid > 0 && WIFSIGNALED(status))
			files_bug(&f, "ended by signal %d", WTERMSIG(status));
		else
			files_bug(&f, "could not be run");
	}
	snprintf(tally->now, sizeof(tally->now), "unmount");
	if (umount(AT))
		files_must(&f, false, "umount(2)");
	if (f.log >= 0)
		close(f.log);
}

void files_describe(struct emit *e)
{
	if (!tally)
		return;
	emit_open(e, "files");
	if (tally->why[0]) {
		emit_str(e, "why", tally->why);
	} else {
		emit_str(e, "type", tally->type);
		emit_u64(e, "exercises", tally->exercises);
		emit_u64(e, "left_out", tally->left_out);
		emit_u64(e, "checks", tally->checks);
		emit_u64(e, "folio_order", tally->folio_order);
		emit_u64(e, "wrong", tally->wrong);
	}
	emit_close(e);
}
