/*
 * case_walk.c - the walkers: one look at every PTE of a populated region.
 *
 * Timed: one pass.
 *
 *   mode=pagemap   read(2) of /proc/self/pagemap, the region's entries in one call
 *   mode=smaps     read(2) of /proc/self/smaps to its end, with the other VMAs of
 *                  this process, a few dozen of a page or two
 *   mode=mincore   one mincore(2)
 *
 * Untimed: mapping and populating the region, opening the file and touching the
 * memory for the answer, before every window.
 *
 * Proved: before and after the window the folios; that the walk saw them: an
 * entry with "present" a page, "Rss:" of the whole region, a set bit a page.
 *
 * Left behind: nothing.
 */
#include "bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where the answer goes: an entry of 8 bytes a page, or 1 of mincore's; for
 * smaps, whose lines pass, the last part read. */
static char *answer;
static size_t answer_size;
static int file = -1;

static enum run_state walk_open(struct run *r)
{
	const size_t least = 64 << 10;

	answer_size = r->size / r->page * sizeof(uint64_t);
	if (answer_size < least)
		answer_size = least;
	answer = mmap(NULL, answer_size, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (answer == MAP_FAILED)
		return run_answer(r, RUN_SKIP, "no memory for %zu bytes of a walker's answer: %s",
		                  answer_size, strerror(errno));
	return run_open_region(r);
}

static const char *path(const struct run *r)
{
	return run_mode(r, WALK_SMAPS) ? "/proc/self/smaps" : "/proc/self/pagemap";
}

static enum run_state walk_ready(struct run *r)
{
	memset(answer, 0, answer_size);
	if (!run_mode(r, WALK_MINCORE)) {
		file = open(path(r), O_RDONLY | O_CLOEXEC);
		if (file < 0)
			return run_answer(r, RUN_SKIP, "%s: %s", path(r), strerror(errno));
	}
	return run_ready_region(r);
}

static enum run_state walk_prove(struct run *r, bool after)
{
	uint64_t kb = r->a.size / 1024;
	enum run_state s = run_prove(r, &r->a, after ? &r->after : &r->before);

	if (s != RUN_VALID || !run_mode(r, WALK_SMAPS))
		return s;
	return run_proof(proof_smaps_kb(r->a.at, r->a.size, "Rss:", kb, &r->why));
}

static enum run_state pagemap_window(struct run *r)
{
	size_t pages = r->a.size / r->page, len = pages * sizeof(uint64_t);
	off_t from = (off_t)((uintptr_t)r->a.at / r->page * sizeof(uint64_t));
	uint64_t entry;
	ssize_t got;

	meter_start(r->meter);
	got = pread(file, answer, len, from);
	meter_stop(r->meter);

	if (got != (ssize_t)len)
		return run_answer(r, RUN_INVALID, "%s: read %zd of %zu bytes", path(r), got, len);
	for (size_t i = 0; i < pages; i++) {
		memcpy(&entry, answer + i * sizeof(entry), sizeof(entry));
		if (!(entry & PM_PRESENT))
			return run_answer(r, RUN_INVALID, "the walk did not find page %zu", i);
	}
	return RUN_VALID;
}

static enum run_state smaps_window(struct run *r)
{
	ssize_t got, all = 0;

	meter_start(r->meter);
	while ((got = read(file, answer, answer_size)) > 0)
		all += got;
	meter_stop(r->meter);

	if (got < 0 || !all)
		return run_answer(r, RUN_INVALID, "%s: %s", path(r),
		                  got < 0 ? strerror(errno) : "empty");
	return RUN_VALID;
}

static enum run_state mincore_window(struct run *r)
{
	int rc;

	meter_start(r->meter);
	rc = mincore(r->a.at, r->a.size, (unsigned char *)answer);
	meter_stop(r->meter);

	if (rc)
		return run_answer(r, RUN_INVALID, "mincore: %s", strerror(errno));
	for (size_t i = 0; i < r->a.size / r->page; i++)
		if (!(answer[i] & 1))
			return run_answer(r, RUN_INVALID, "the walk did not find page %zu", i);
	return RUN_VALID;
}

static enum run_state walk_window(struct run *r)
{
	static enum run_state (*const windows[])(struct run * r) = {
	        [WALK_PAGEMAP] = pagemap_window,
	        [WALK_SMAPS] = smaps_window,
	        [WALK_MINCORE] = mincore_window,
	};

	return windows[r->c->value[PARAM_MODE]](r);
}

static enum run_state walk_reset(struct run *r)
{
	if (file >= 0)
		close(file);
	file = -1;
	return run_reset_region(r);
}

const struct bench bench_walk = {
        .name = "walk",
        .open = walk_open,
        .ready = walk_ready,
        .prove = walk_prove,
        .window = walk_window,
        .reset = walk_reset,
};
