/*
 * case_split.c - the split of a VMA in the middle of a block.
 *
 * Timed: one page in the middle of every block (cut.h), a call a block, all
 * in one window, as a single call is shorter than a clock can tell.
 *
 *   mode=dontfork   madvise(MADV_DONTFORK): the VMA is split, no PTE changes
 *   mode=mlock      mlock(2): the same, and the page is looked up and counted as
 *                   locked
 *
 * A split leaves contiguous PTEs as they are: one block may span VMAs. That the
 * kernel keeps to it is what this case watches.
 *
 * Untimed: mapping and populating the region before every window.
 *
 * Proved: before the window the folios; after it the same folios, still mapped
 * by PTEs, in the number of VMAs that the splits make.
 *
 * Left behind: nothing; unmapping unlocks.
 */
#include "bench/bench.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static enum run_state split_open(struct run *r)
{
	size_t locked = r->size / block_bytes(r->page) * r->page;
	struct rlimit limit;
	enum run_state s;

	/* The superuser is not bound by the limit, and raises it. */
	limit = (struct rlimit){locked, locked};
	if (run_mode(r, SPLIT_MLOCK) && setrlimit(RLIMIT_MEMLOCK, &limit) &&
	    !getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur < locked)
		return run_answer(r, RUN_SKIP, "%zu bytes cannot be locked: ulimit -l is %llu",
		                  locked, (unsigned long long)limit.rlim_cur);
	r->cut = cut_block(r->page, r->page);
	r->calls = cut_count(&r->cut, r->size);
	s = run_open_vmas(r, cut_pieces(&r->cut, r->size));
	return s == RUN_VALID ? run_open_region(r) : s;
}

static enum run_state split_prove(struct run *r, bool after)
{
	const struct proof_range pieces = {.at = r->a.at,
	                                   .size = r->a.size,
	                                   .order = r->order,
	                                   .vmas = cut_pieces(&r->cut, r->a.size)};

	if (!after)
		return run_prove(r, &r->a, &r->before);
	r->moved = true;
	return run_proof(proof_range(&pieces, &r->after, &r->why));
}

static int lock(void *at, size_t len)
{
	/* The call itself: where a sanitizer's library stands before libc, its mlock()
	 * does nothing and says that all is well. */
	return (int)syscall(SYS_mlock, at, len);
}

static int keep_from_fork(void *at, size_t len)
{
	return madvise(at, len, MADV_DONTFORK);
}

static enum run_state split_window(struct run *r)
{
	int (*call)(void *at, size_t len) = run_mode(r, SPLIT_MLOCK) ? lock : keep_from_fork;
	int rc = 0;

	meter_start(r->meter);
	for (size_t i = r->cut.from; i < r->a.size; i += r->cut.step)
		rc |= call(r->a.at + i, r->cut.len);
	meter_stop(r->meter);

	return rc ? run_answer(r, RUN_INVALID, "%s: %s",
	                       run_mode(r, SPLIT_MLOCK) ? "mlock" : "madvise", strerror(errno))
	          : RUN_VALID;
}

const struct bench bench_split = {
        .name = "split",
        .open = split_open,
        .ready = run_ready_region,
        .prove = split_prove,
        .window = split_window,
        .reset = run_reset_region,
};
