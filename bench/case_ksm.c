/*
 * case_ksm.c - identical pages of a populated region merged by KSM.
 *
 * Timed: the passes of ksmd that it takes to merge the region: a first one that
 * takes checksums, a second that compares and merges, a third for pages that the
 * split of their folio held up. Each page that is merged is unmapped and mapped
 * again as another, which unfolds its block. Instructions are all those of the
 * CPU (meter_wide()) that ksmd is bound to for the run; time is not measured, as
 * ksmd sleeps between passes.
 *
 * Populating writes one of 251 contents to each page, so that many share each.
 *
 * Untimed: mapping and populating the region before every window, and offering
 * it by madvise(MADV_MERGEABLE). ksmd is set to one pass at a time over all
 * pages; between windows it is stopped and made to forget what it saw.
 *
 * Proved: before the window the folios; after it that KSM counts every page as
 * shared or sharing, 251 of them shared, and that each is present.
 *
 * Left behind: nothing; ksmd gets its settings back.
 */
#include "bench/bench.h"

#include "bench/folio.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define KSM    "/sys/kernel/mm/ksm/"
#define PASSES 3
#define NAP_NS 10000000 /* of the sleep between two looks, a tenth of that of ksmd */
#define NAPS   6000     /* a minute */

static struct {
	const char *name, *text;
	char old[32];
} settings[] = {
        /* Beyond any region: a scan ends with the pass. */
        {.name = "pages_to_scan", .text = "100000000"},
        {.name = "sleep_millisecs", .text = "100"},
        {.name = "use_zero_pages", .text = "0"},
        /* Pages that did not change would be left out of passes (Linux 6.7). */
        {.name = "smart_scan", .text = "0"},
        {.name = "advisor_mode", .text = "none"},
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static pid_t ksmd;
static cpu_set_t ksmd_cpus; /* where it was allowed before */

static void path_of(const char *name, char *out, size_t size)
{
	snprintf(out, size, KSM "%s", name);
}

static bool number(const char *name, uint64_t *value)
{
	char path[96], text[32];
	long len;

	path_of(name, path, sizeof(path));
	len = text_read(path, text, sizeof(text));
	return len > 0 && u64_parse(text, (size_t)len, value);
}

static pid_t find_thread(const char *name)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	pid_t pid = 0;

	while (d && !pid && (entry = readdir(d))) {
		char path[300], comm[32];

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (text_read(path, comm, sizeof(comm)) > 0 && !strcmp(comm, name))
			pid = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	if (d)
		closedir(d);
	return pid;
}

static void put_back(void)
{
	char path[96];

	for (size_t i = 0; i < SETTINGS; i++) {
		path_of(settings[i].name, path, sizeof(path));
		if (settings[i].old[0])
			text_write(path, settings[i].old);
		settings[i].old[0] = '\0';
	}
	if (ksmd)
		sched_setaffinity(ksmd, sizeof(ksmd_cpus), &ksmd_cpus);
	ksmd = 0;
}

/* To the one CPU of this process. */
static bool bind_ksmd(void)
{
	cpu_set_t mine;

	return !sched_getaffinity(ksmd, sizeof(ksmd_cpus), &ksmd_cpus) &&
	       !sched_getaffinity(0, sizeof(mine), &mine) &&
	       !sched_setaffinity(ksmd, sizeof(mine), &mine);
}

/* Those that this kernel has. */
static bool set_all(void)
{
	char path[96], now[64];

	for (size_t i = 0; i < SETTINGS; i++) {
		path_of(settings[i].name, path, sizeof(path));
		if (text_read(path, now, sizeof(now)) < 0)
			continue;
		/* A choice stands in brackets among the others. */
		if (strchr(now, '['))
			choice_parse(now, settings[i].old, sizeof(settings[i].old));
		else
			snprintf(settings[i].old, sizeof(settings[i].old), "%.31s", now);
		if (text_write(path, settings[i].text))
			return false;
	}
	return true;
}

static enum run_state ksm_open(struct run *r)
{
	uint64_t running, shared;

	if (r->meter->metric != METRIC_INSTRUCTIONS)
		return run_answer(r, RUN_SKIP,
		                  "KSM works in a thread of the kernel that sleeps between passes: "
		                  "only its instructions are measured");
	if (!number("run", &running) || !number("pages_shared", &shared))
		return run_answer(r, RUN_SKIP, "this kernel merges no pages (CONFIG_KSM)");
	if (running || shared)
		return run_answer(r, RUN_SKIP, "KSM is at work on this machine already");
	if (!meter_wide(r->meter, &r->why))
		return RUN_SKIP;
	ksmd = find_thread("ksmd");
	if (!ksmd)
		return run_answer(r, RUN_SKIP, "no thread ksmd is to be seen in /proc");
	if (!bind_ksmd() || !set_all())
		return run_answer(r, RUN_SKIP, "ksmd cannot be set up: %s", strerror(errno));
	r->splits = true; /* a page of a large folio is merged alone */
	return run_open_region(r);
}

static enum run_state ksm_ready(struct run *r)
{
	enum run_state s = run_ready_region(r);

	if (s != RUN_VALID)
		return s;
	if (madvise(r->a.at, r->a.size, MADV_MERGEABLE))
		return run_answer(r, RUN_INVALID, "madvise MADV_MERGEABLE: %s", strerror(errno));
	return RUN_VALID;
}

static enum run_state ksm_prove(struct run *r, bool after)
{
	const struct proof_bits present = {
	        .mask = PM_PRESENT | PM_SWAP, .out = PM_PRESENT, .what = "is not present"};
	uint64_t pages = r->a.size / r->page, shared = 0, sharing = 0;

	if (!after)
		return run_prove(r, &r->a, &r->before);
	if (!number("pages_shared", &shared) || !number("pages_sharing", &sharing) ||
	    shared < FOLIO_BYTES || shared + sharing != pages)
		return run_answer(r, RUN_INVALID,
		                  "KSM has %llu pages that %llu others share, of %llu pages with "
		                  "%u contents",
		                  (unsigned long long)shared, (unsigned long long)sharing,
		                  (unsigned long long)pages, FOLIO_BYTES);
	return run_proof(proof_bits(r->a.at, r->a.size, &present, &r->why));
}

static enum run_state ksm_window(struct run *r)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	uint64_t before = 0, now;
	bool started, stopped;
	int naps = 0;

	if (!number("full_scans", &before))
		return run_answer(r, RUN_INVALID, KSM "full_scans cannot be read");
	now = before;
	meter_start(r->meter);
	started = !text_write(KSM "run", "1");
	while (started && now < before + PASSES && naps++ < NAPS) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
		if (!number("full_scans", &now))
			break;
	}
	stopped = !text_write(KSM "run", "0");
	meter_stop(r->meter);

	if (!started || !stopped || now != before + PASSES)
		return run_answer(r, RUN_INVALID, "ksmd made %llu passes, expected %d",
		                  (unsigned long long)(now - before), PASSES);
	return RUN_VALID;
}

/* KSM remembers addresses and their checksums; 2 is to forget them all. Behind the
 * unmapping there is nothing left that it would have to copy. */
static enum run_state ksm_reset(struct run *r)
{
	enum run_state s = run_reset_region(r);

	if (s == RUN_VALID && text_write(KSM "run", "2"))
		return run_answer(r, RUN_INVALID, KSM "run: %s", strerror(errno));
	return s;
}

static void ksm_close(struct run *r)
{
	(void)r;
	/* Only where open() came so far as to find it idle. */
	if (ksmd)
		text_write(KSM "run", "2");
	if (ksmd)
		text_write(KSM "run", "0");
	put_back();
}

const struct bench bench_ksm = {
        .name = "ksm",
        .open = ksm_open,
        .ready = ksm_ready,
        .prove = ksm_prove,
        .window = ksm_window,
        .reset = ksm_reset,
        .close = ksm_close,
};
