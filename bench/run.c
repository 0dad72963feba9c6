#include "bench/bench.h"

#include "bench/covariates.h"
#include "bench/folio.h"
#include "bench/thp.h"
#include "bench/trace.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum run_state run_answer(struct run *r, enum run_state state, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why.text, sizeof(r->why.text), fmt, ap);
	va_end(ap);
	return state;
}

enum run_state run_populate(struct run *r, struct region *at)
{
	if (!region_map(at, &r->why) || !folio_populate(at->at, at->size, r->order, &r->why))
		return RUN_INVALID;
	r->populated += (at->size / r->page) >> r->order;
	return RUN_VALID;
}

enum run_state run_proof(enum proof_answer answer)
{
	static const enum run_state states[] = {
	        [PROOF_HOLDS] = RUN_VALID,
	        [PROOF_CANNOT] = RUN_SKIP,
	        [PROOF_WRONG] = RUN_INVALID,
	};

	return states[answer];
}

enum run_state run_prove(struct run *r, const struct region *at, struct proof *p)
{
	if (p == &r->after)
		r->moved = true;
	return run_proof(proof_folios(at->at, at->size, r->order, p, &r->why));
}

enum run_state run_open_region(struct run *r)
{
	return region_reserve(&r->a, r->size, r->page << r->order, 0, &r->why) ? RUN_VALID
	                                                                       : RUN_SKIP;
}

enum run_state run_ready_region(struct run *r)
{
	return run_populate(r, &r->a);
}

enum run_state run_reset_region(struct run *r)
{
	return region_unmap(&r->a, &r->why) ? RUN_VALID : RUN_INVALID;
}

bool run_given(const struct run *r, enum case_param param)
{
	return r->c->given & 1u << param;
}

bool run_mode(const struct run *r, int mode)
{
	return run_given(r, PARAM_MODE) && r->c->value[PARAM_MODE] == mode;
}

enum run_state run_open_cut(struct run *r)
{
	size_t bytes = (size_t)r->c->value[PARAM_BLOCK];

	if (bytes % r->page || bytes > block_bytes(r->page))
		return run_answer(r, RUN_SKIP,
		                  "block=%zuK is no part of a block in whole pages: a page is %zuK "
		                  "here, a block %zuK",
		                  bytes >> 10, r->page >> 10, block_bytes(r->page) >> 10);
	r->cut = run_given(r, PARAM_BLOCK) ? cut_block(bytes, r->page) : cut_all(r->size);
	r->calls = cut_count(&r->cut, r->size);
	return RUN_VALID;
}

enum run_state run_open_vmas(struct run *r, uint64_t vmas)
{
	const uint64_t own = 64; /* of foldbench itself, and its fences */
	char text[32];
	long len = text_read("/proc/sys/vm/max_map_count", text, sizeof(text));
	uint64_t max;

	if (len > 0 && u64_parse(text, (size_t)len, &max) && vmas + own > max)
		return run_answer(r, RUN_SKIP,
		                  "the region would have %llu VMAs, and vm.max_map_count is %llu",
		                  (unsigned long long)vmas, (unsigned long long)max);
	return RUN_VALID;
}

/* What the run found out about itself. */
struct record {
	uint64_t *samples;
	uint32_t taken;
	uint32_t windows; /* summed in a sample */
	uint64_t empty, switches, retaken;
	bool pinned, realtime;
	struct counters before, after;
	struct covariates covariates;
	struct trace trace;
	bool has_free;
	uint64_t free_blocks;
};

/*
 * One CPU, and no preemption by what this process starts. Both are for the
 * superuser; without them a run still counts, and says so.
 */
static void hold_cpu(struct record *rec)
{
	struct sched_param p = {.sched_priority = 1};
	cpu_set_t allowed, one;
	int cpu;

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p))
		return;
	rec->realtime = true;
	/* Only now: a child that shares one CPU with an ordinary parent could
	 * preempt it in the window. The last CPU: the first takes interrupts. */
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	for (cpu = CPU_SETSIZE - 1; cpu > 0 && !CPU_ISSET(cpu, &allowed); cpu--)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	rec->pinned = !sched_setaffinity(0, sizeof(one), &one);
}

/*
 * The window with its frames in the middle of a page of the stack. A fork write-protects
 * the stack's pages, and the parent copies those that it writes to behind it, inside the
 * window: how many must not depend on where its stack happens to begin, which the
 * environment and the program's arguments decide. (A frame across two pages was 2,000
 * instructions more.)
 */
static __attribute__((noinline)) enum run_state window_in_a_page(const struct bench *b,
                                                                 struct run *r)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	volatile char *pad = __builtin_alloca(((here - r->page / 2) & (r->page - 1)) + 16);
	enum run_state s;

	pad[0] = 0;
	s = b->window(r);
	pad[0] = 1; /* the frame stays until here */
	return s;
}

/* One window with what belongs around it. */
static enum run_state one_window(const struct bench *b, struct run *r, bool prove)
{
	enum run_state s = b->ready(r);

	if (s == RUN_VALID && prove)
		s = b->prove(r, false);
	if (s != RUN_VALID)
		return s;
	meter_settle(r->meter);
	s = window_in_a_page(b, r);
	if (s == RUN_VALID && prove)
		s = b->prove(r, true);
	return s == RUN_VALID ? b->reset(r) : s;
}

/*
 * A window shorter than METER_TICKS ticks of the clock says little by itself: several
 * are summed then. The shortest of a few that do not count decides how many; the
 * first was looked at. Instructions are counted, not ticked.
 */
static enum run_state choose_windows(const struct bench *b, struct run *r,
                                     const struct run_spec *spec, struct record *rec)
{
	uint64_t took, least = UINT64_MAX;

	rec->windows = 1;
	if (spec->metric != METRIC_NS)
		return RUN_VALID;
	for (int i = 0; i < 4; i++) {
		enum run_state s = one_window(b, r, i == 0);

		if (s != RUN_VALID)
			return s;
		if (!meter_value(r->meter, &took, &r->why))
			return RUN_INVALID;
		if (took < least)
			least = took;
	}
	rec->windows = meter_windows(least, spec->tick_ns ? spec->tick_ns : meter_tick_ns());
	return RUN_VALID;
}

static enum run_state windows(const struct bench *b, struct run *r, const struct run_spec *spec,
                              struct record *rec)
{
	uint32_t n = spec->warmup + spec->iterations, summed = 0;
	uint64_t retakes_max, value;
	enum run_state s = choose_windows(b, r, spec, rec);

	retakes_max = 16 + 2 * (uint64_t)n * rec->windows;
	/* Looking at the folios moves the page allocator's lists, and the window
	 * behind it costs otherwise than its neighbours. So no window that counts
	 * is one that was looked at: the first is a warm-up or an extra one, the
	 * last always an extra one. */
	if (s == RUN_VALID && !spec->warmup)
		s = one_window(b, r, true);
	while (s == RUN_VALID && rec->taken < n) {
		s = one_window(b, r, !rec->taken && !summed && spec->warmup);
		if (s != RUN_VALID)
			return s;
		rec->switches += r->meter->switches;
		/* Time in which another process had the CPU is not the call's.
		 * The instruction counter does not count it to begin with. */
		if (r->meter->switches > r->sleeps && spec->metric == METRIC_NS) {
			if (++rec->retaken > retakes_max)
				return run_answer(r, RUN_INVALID,
				                  "the CPU was taken away in %llu of %llu windows: "
				                  "this machine is too busy to measure time",
				                  (unsigned long long)rec->retaken,
				                  (unsigned long long)rec->retaken + rec->taken);
			continue;
		}
		if (!meter_value(r->meter, &value, &r->why))
			return RUN_INVALID;
		rec->samples[rec->taken] += value;
		if (++summed == rec->windows) {
			rec->taken++;
			summed = 0;
		}
	}
	return s == RUN_VALID ? one_window(b, r, true) : s;
}

/*
 * The same windows once more, a few, for counters instead of time, and a few for calls
 * of functions. Whatever goes wrong here is told beside the run and takes nothing from
 * it: its numbers stand already.
 */
static void count_events(const struct bench *b, struct run *r, struct covariates *c)
{
	struct reason w = {""};

	if (!covariates_open(c, r->meter, &w))
		return;
	/* The first is a warm-up: the code that reads counters has not run yet. */
	for (int i = 0; i <= COVARIATE_WINDOWS; i++) {
		if (one_window(b, r, false) != RUN_VALID) {
			c->why = r->why;
			break;
		}
		if (i && !covariates_take(c, &w))
			break;
	}
	covariates_close(c);
}

static void count_calls(const struct bench *b, struct run *r, struct trace *t)
{
	struct reason w = {""};

	if (trace_open(t, r->meter, &w))
		for (int i = 0; i < TRACE_WINDOWS; i++) {
			if (one_window(b, r, false) != RUN_VALID) {
				t->why = r->why;
				break;
			}
			if (!trace_take(t, &w))
				break;
		}
	trace_close(t);
	trace_free(t);
}

static void count_covariates(const struct bench *b, struct run *r, struct record *rec)
{
	uint64_t populated = r->populated;

	count_events(b, r, &rec->covariates);
	count_calls(b, r, &rec->trace);
	r->populated = populated;
}

/* Over the whole run: no folio was split, and each was of its order at once. */
static enum run_state check_counters(struct run *r, const struct record *rec)
{
	const struct counters *a = &rec->before, *b = &rec->after;

	if (b->has_split_page && b->split_page != a->split_page && !r->splits)
		return run_answer(r, RUN_INVALID, "%llu folios were split during the run",
		                  (unsigned long long)(b->split_page - a->split_page));
	if (b->has_fallback && b->fallback != a->fallback)
		return run_answer(
		        r, RUN_INVALID,
		        "%llu folios of order %u could not be had during the run (memory is "
		        "fragmented or short)",
		        (unsigned long long)(b->fallback - a->fallback), r->order);
	if (b->has_alloc && b->alloc - a->alloc < r->populated)
		return run_answer(r, RUN_INVALID,
		                  "%llu folios of order %u were allocated, %llu were needed",
		                  (unsigned long long)(b->alloc - a->alloc), r->order,
		                  (unsigned long long)r->populated);
	return RUN_VALID;
}

static void emit_evidence(const struct run *r, const struct record *rec, struct emit *e)
{
	const struct counters *a = &rec->before, *b = &rec->after;

	emit_open(e, "evidence");
	if (r->before.means) {
		emit_str(e, "proof", r->before.means);
		if (r->before.contiguous)
			emit_u64(e, "folio_order", r->order);
		if (r->before.contiguous)
			emit_bool(e, "pfn_contiguous", true);
		emit_u64(e, "folios", r->before.folios);
		emit_u64(e, "vmas", r->before.vmas);
		emit_u64(e, "anon_huge_kb", r->before.anon_huge_kb);
	}
	if (r->moved)
		emit_bool(e, "same_after",
		          r->after.folios == r->before.folios &&
		                  r->after.contiguous == r->before.contiguous);
	if (b->has_split_page)
		emit_u64(e, "thp_split_page", b->split_page - a->split_page);
	if (b->has_split_pmd)
		emit_u64(e, "thp_split_pmd", b->split_pmd - a->split_pmd);
	if (b->has_alloc)
		emit_u64(e, "folios_allocated", b->alloc - a->alloc);
	if (b->has_fallback)
		emit_u64(e, "folio_fallbacks", b->fallback - a->fallback);
	emit_u64(e, "populated", r->populated);
	emit_u64(e, "switches", rec->switches);
	emit_u64(e, "retaken", rec->retaken);
	emit_bool(e, "realtime", rec->realtime);
	emit_bool(e, "pinned", rec->pinned);
	for (size_t i = 0; i < VM_COUNTERS; i++)
		if (a->has_vm[i] && b->has_vm[i])
			emit_u64(e, vm_counter[i], b->vm[i] - a->vm[i]);
	if (rec->has_free)
		emit_u64(e, "free_pmd_blocks", rec->free_blocks);
	covariates_emit(&rec->covariates, e);
	trace_emit(&rec->trace, e);
	emit_close(e);
}

static void emit_head(const struct run_spec *spec, enum run_state state, struct emit *e)
{
	static const char *const words[] = {"valid", "skip", "invalid"};

	emit_open(e, NULL);
	emit_str(e, "type", "run");
	emit_str(e, "case", spec->text);
	emit_u64(e, "run", spec->index);
	emit_str(e, "state", words[state]);
}

void run_emit_without(const struct run_spec *spec, enum run_state state, const char *why,
                      struct emit *e)
{
	emit_head(spec, state, e);
	emit_str(e, "why", why);
	emit_close(e);
	emit_newline(e);
}

static void emit_valid(const struct run_spec *spec, const struct run *r, const struct record *rec,
                       struct emit *e)
{
	const struct metric_def *m = &metrics[spec->metric];

	emit_head(spec, RUN_VALID, e);
	emit_str(e, "metric", m->name);
	emit_str(e, "unit", m->unit);
	emit_str(e, "better", m->better);
	emit_u64(e, "warmup", spec->warmup);
	emit_u64(e, "batch", r->calls * rec->windows);
	emit_u64(e, "windows", rec->windows);
	emit_u64(e, "empty_window", rec->empty);
	emit_array(e, "samples");
	for (uint32_t i = 0; i < rec->taken; i++)
		emit_u64(e, NULL, rec->samples[i]);
	emit_array_close(e);
	emit_evidence(r, rec, e);
	emit_close(e);
	emit_newline(e);
}

size_t run_line_max(const struct run_spec *spec)
{
	/* A number and its comma; the rest of the line has fixed members. */
	return 21 * ((size_t)spec->warmup + spec->iterations) + 6144;
}

static enum run_state measure(const struct run_spec *spec, struct run *r, struct record *rec)
{
	const struct bench *b = bench_find(spec->c->bench->name);
	enum run_state s;
	bool counted;

	if (!b)
		return run_answer(r, RUN_SKIP, "this foldbench has no benchmark \"%s\"",
		                  spec->c->bench->name);
	if (!r->size || r->size % (r->page << r->order))
		return run_answer(r, RUN_SKIP, "%zu bytes are no multiple of a folio of order %u",
		                  r->size, r->order);
	if (!meter_open(r->meter, spec->metric, &r->why))
		return RUN_SKIP;
	hold_cpu(rec);
	if (!meter_calibrate(r->meter, &r->why)) {
		meter_close(r->meter);
		return RUN_INVALID;
	}
	rec->has_free = free_large_blocks(&rec->free_blocks);
	counters_read(&rec->before, r->order);
	s = b->open(r);
	rec->empty = r->meter->empty;
	if (s == RUN_VALID)
		s = windows(b, r, spec, rec);
	counted = s == RUN_VALID && spec->covariates && spec->metric == METRIC_NS;
	if (counted) {
		counters_read(&rec->after, r->order); /* of what was timed */
		count_covariates(b, r, rec);
	}
	if (b->close)
		b->close(r);
	if (!counted)
		counters_read(&rec->after, r->order);
	if (s == RUN_VALID)
		s = check_counters(r, rec);
	region_release(&r->a);
	region_release(&r->b);
	meter_close(r->meter);
	return s;
}

void run_one(const struct run_spec *spec, struct emit *e)
{
	struct meter meter;
	size_t bytes = ((size_t)spec->warmup + spec->iterations) * sizeof(uint64_t);
	struct run r = {
	        .c = spec->c,
	        .order = (unsigned int)spec->c->value[PARAM_ORDER],
	        .size = (size_t)case_bytes(spec->c),
	        .page = (size_t)sysconf(_SC_PAGESIZE),
	        .calls = 1,
	        .meter = &meter,
	};
	struct record rec = {0};
	enum run_state s;

	/* Shared and touched beforehand: storing a sample takes no fault, also
	 * not behind a fork(). */
	rec.samples = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	                   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (rec.samples == MAP_FAILED) {
		run_emit_without(spec, RUN_SKIP, "no memory for the samples", e);
		return;
	}
	s = measure(spec, &r, &rec);
	if (s == RUN_VALID) {
		emit_valid(spec, &r, &rec, e);
	} else {
		emit_head(spec, s, e);
		emit_str(e, "why", r.why.text);
		if (s == RUN_INVALID)
			emit_evidence(&r, &rec, e);
		emit_close(e);
		emit_newline(e);
	}
	munmap(rec.samples, bytes);
}
