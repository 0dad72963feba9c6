/* dry_run.c - a submission's jobs counted, and their minutes. */
#include "server/dry_run.h"

#include "lib/case.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_board.h"
#include "server/store_cost.h"
#include "server/submit_priv.h"

#include <stdlib.h>
#include <string.h>

/* Where nothing like it was ever done. */
static const struct span_s guess_build = {180, 600, 1800}, guess_boot = {20, 60, 300},
                           guess_resolve = {2, 30, 600};

/* ---- spans */

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double quantile(const double *v, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t low = (size_t)at;

	return low + 1 >= n ? v[n - 1] : v[low] + (at - (double)low) * (v[low + 1] - v[low]);
}

/* `wide`: the range is twice as far off. Sorts v; there is one at least. */
static struct span_s span_of(double *v, size_t n, double wide)
{
	struct span_s s;

	qsort(v, n, sizeof(*v), by_size);
	s.expected = quantile(v, n, 0.5);
	s.low = quantile(v, n, 0.1) / wide;
	s.high = quantile(v, n, 0.9) * wide;
	return s;
}

static struct span_s times(struct span_s s, double n)
{
	return (struct span_s){s.low * n, s.expected * n, s.high * n};
}

static void add(struct span_s *sum, struct span_s s)
{
	sum->low += s.low;
	sum->expected += s.expected;
	sum->high += s.high;
}

static void note(struct pool *p, struct dry_run *out, const char *text)
{
	*(const char **)pool_push(p, (void **)&out->notes.at, &out->notes.count,
	                          sizeof(*out->notes.at)) = text;
}

/* ---- builds */

static enum err build_span(struct db *db, struct pool *p, const struct wanted_kernel *k,
                           struct dry_run *out, struct span_s *each, struct why *w)
{
	struct cost_jobs jobs;
	double v[COST_JOBS] = {0};
	const char *of = pool_fmt(p, "of the configuration %s", k->k.config_name);
	enum err e = store_cost_builds(db, k->k.config_sha256, &jobs, w);
	bool like = e == OK && jobs.count > 0;

	if (e == OK && !like) {
		of = "of any configuration";
		e = store_cost_builds(db, NULL, &jobs, w);
	}
	if (e != OK)
		return e;
	for (size_t i = 0; i < jobs.count; i++)
		v[i] = jobs.at[i].seconds;
	if (jobs.count) {
		*each = span_of(v, jobs.count, like ? 1 : 2);
		if (!out->basis)
			out->basis = pool_fmt(p, "the last %zu builds %s", jobs.count, of);
	} else {
		*each = guess_build;
		out->guess = true;
		out->basis = "a guess: nothing was built here yet, and a kernel takes some ten "
		             "minutes";
	}
	return OK;
}

/* The kernel that stands for it, or is being built; NONE: it will be built. */
static enum err standing(struct db *db, struct pool *p, const struct wanted *x,
                         const struct wanted_kernel *k, int64_t layout, int64_t *id, struct why *w)
{
	const char *compiler = NULL, *commit = NULL;
	char domain[17], key[65], own[65];
	enum err e = store_toolchain_compiler(db, k->k.toolchain, p, &compiler, w);

	*id = NONE;
	if (!k->k.base_of && hex_is(k->k.ref, 40))
		commit = k->k.ref;
	if (e == OK && !commit && !k->k.base_of)
		e = store_cost_commit(db, k->k.tree, k->k.ref, p, &commit, w);
	if (e != OK || !compiler || !commit || !x->s.reuse)
		return e;
	schedule_domain(x->s.submitter, k->k.tree, domain);
	schedule_kernel_key(commit, k->k.config_sha256, k->k.config_whole, k->k.toolchain, compiler,
	                    domain, 0, key);
	if (layout)
		schedule_layout_key(key, layout, own);
	return store_kernel_by_key(db, layout ? own : key, id, w);
}

static enum err count_builds(struct db *db, struct pool *p, const struct wanted *x,
                             const struct wanted_kernel *k, struct dry_run *out, struct why *w)
{
	int64_t layouts = k->k.validates == NONE ? x->s.layouts : 1, before = out->builds;
	struct span_s each;
	enum err e = OK;

	for (int64_t layout = 0; e == OK && layout < layouts; layout++) {
		int64_t id;

		e = standing(db, p, x, k, layout, &id, w);
		if (id == NONE)
			out->builds++;
		else
			out->known++;
	}
	if (e == OK && out->builds > before) {
		e = build_span(db, p, k, out, &each, w);
		if (e == OK)
			add(&out->build, times(each, (double)(out->builds - before)));
	}
	return e;
}

static enum err builds(struct db *db, struct pool *p, const struct wanted *x, struct dry_run *out,
                       struct why *w)
{
	struct cost_jobs jobs;
	double v[COST_JOBS] = {0};
	enum err e = OK;

	for (size_t i = 0; e == OK && i < x->kernels; i++) {
		const struct sub_kernel *k = &x->kernel[i].k;
		bool again = k->image != NULL;

		for (size_t o = 0; o < i && !again; o++)
			again = str_eq(x->kernel[o].k.tree, k->tree) &&
			        str_eq(x->kernel[o].k.ref, k->ref) &&
			        str_eq(x->kernel[o].k.base_of, k->base_of);
		out->resolves += !again;
		if (!k->image)
			e = count_builds(db, p, x, &x->kernel[i], out, w);
	}
	if (e == OK)
		e = store_cost_resolves(db, &jobs, w);
	for (size_t i = 0; e == OK && i < jobs.count; i++)
		v[i] = jobs.at[i].seconds;
	if (e == OK && out->resolves)
		add(&out->build, times(jobs.count ? span_of(v, jobs.count, 1) : guess_resolve,
		                       (double)out->resolves));
	return e;
}

/* ---- boots */

static double number_of(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtod(at + strlen(key), NULL) : 0;
}

/* How much a plan asks for: a run makes its memory once and passes over it once an
 * iteration, which takes as long as there is memory; and there is something to each. */
static double plan_units(const char *plan)
{
	double units = 0;

	for (const char *line = plan; line && *line; line = strchr(line, '\n')) {
		char text[CASE_TEXT] = "", err[400];
		struct bench_case c;

		line += *line == '\n';
		if (*line == '#' || !*line)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, " \n"), line);
		if (case_parse(text, &c, err, sizeof(err)) == 0)
			units += number_of(line, " runs=") *
			         (1 + number_of(line, " iterations=") +
			          number_of(line, " warmup=")) *
			         ((double)case_bytes(&c) / (1 << 20) + 16);
	}
	return units;
}

static enum err boot_span(struct db *db, struct pool *p, const struct wanted *x,
                          struct dry_board *b, struct why *w)
{
	double v[COST_JOBS] = {0}, own = plan_units(x->s.plan);
	struct cost_jobs jobs;
	size_t n = 0;
	enum err e = store_cost_boots(db, b->name, x->s.plan, p, &jobs, w);

	if (e == OK && jobs.count) {
		for (size_t i = 0; i < jobs.count; i++)
			v[i] = jobs.at[i].seconds;
		b->each = span_of(v, jobs.count, 1);
		b->basis = pool_fmt(p, "the last %zu boots with this plan", jobs.count);
		return OK;
	}
	if (e == OK)
		e = store_cost_boots(db, b->name, NULL, p, &jobs, w);
	for (size_t i = 0; e == OK && i < jobs.count; i++) {
		double units = plan_units(jobs.at[i].plan);

		if (units > 0)
			v[n++] = jobs.at[i].seconds / units;
	}
	if (e == OK && n) {
		b->each = times(span_of(v, n, 2), own);
		b->basis = pool_fmt(p, "the last %zu boots with other plans, by their size", n);
	} else {
		b->each = guess_boot;
		b->guess = true;
		b->basis = "a guess: no boot of this board was measured yet, and one takes about "
		           "a minute";
	}
	return e;
}

/* The id that a kernel's boots would have in a layout; NONE: nobody can know it yet. */
static enum err booted_as(struct db *db, struct pool *p, const struct wanted *x,
                          const struct wanted_kernel *k, int64_t layout, bool deterministic,
                          int64_t *id, struct why *w)
{
	*id = NONE;
	if (!k->k.image)
		return standing(db, p, x, k, layout, id, w);
	/* An image has one layout, whose boots take the place of the others' on a noisy board. */
	return layout == 0 || !deterministic ? store_kernel_by_key(db, k->key, id, w) : OK;
}

/* As schedule_boots.c lays them: *boots, and of them *reused. */
static enum err count_boots(struct db *db, struct pool *p, const struct wanted *x,
                            const struct wanted_kernel *k, const struct board *b,
                            struct dry_board *out, struct why *w)
{
	int64_t phases = schedule_boots(x->s.boots, b->deterministic);
	char plan_sha256[65];
	struct boot_want want = {.board = b->name,
	                         .board_identity = b->identity,
	                         .plan_sha256 = plan_sha256,
	                         .memory_bytes = x->s.memory_bytes,
	                         .bench = b->bench};
	enum err e = OK;

	hash_block(x->s.plan, strlen(x->s.plan), plan_sha256);
	for (int64_t phase = 0; e == OK && phase < phases; phase++) {
		int64_t from = b->deterministic ? 0 : phase % x->s.layouts;
		int64_t until = b->deterministic ? x->s.layouts : from + 1;

		for (int64_t layout = from; e == OK && layout < until; layout++) {
			int64_t last = phase == 0 && layout == 0 && b->deterministic, id;

			if (k->k.image && layout && b->deterministic)
				continue;
			e = booted_as(db, p, x, k, layout, b->deterministic, &want.kernel, w);
			want.phase = phase;
			for (want.replicate = 0; e == OK && want.replicate <= last;
			     want.replicate++) {
				out->boots++;
				if (want.kernel == NONE || !x->s.reuse)
					continue;
				e = store_boot_reusable(db, &want, &id, w);
				out->reused += e == OK && id != NONE;
			}
		}
	}
	return e;
}

static enum err boots(struct db *db, struct pool *p, const struct wanted *x, size_t at,
                      struct dry_run *out, struct why *w)
{
	struct dry_board *d = pool_push(p, (void **)&out->board, &out->boards, sizeof(*out->board));
	struct board b = {0};
	int64_t known = 0;
	enum err e = store_board_get(db, x->boards.at[at], p, &b, w);

	d->name = x->boards.at[at];
	for (size_t i = 0; e == OK && i < x->kernels; i++) {
		const struct wanted_kernel *k = &x->kernel[i];
		bool again = false;

		/* Two names of one image are booted once. */
		for (size_t o = 0; o < i && k->k.image; o++)
			again |= str_eq(x->kernel[o].k.image, k->k.image);
		known += k->k.validates == NONE;
		if (k->k.validates != NONE)
			d->boots += at == 0;
		else if (!again)
			e = count_boots(db, p, x, k, &b, d, w);
	}
	/* Those of a series beside its base. */
	if (x->series.is)
		d->boots += (submit_measured(x) - known) * submit_boots_of(x, b.deterministic) +
		            (at == 0 && x->series.check_config);
	if (e == OK)
		e = boot_span(db, p, x, d, w);
	d->all = times(d->each, (double)(d->boots - d->reused));
	return e;
}

enum err dry_run(struct db *db, struct pool *p, const struct wanted *x, struct dry_run *out,
                 struct why *w)
{
	bool noise = false;
	struct span_s most = {0};
	enum err e;

	*out = (struct dry_run){0};
	for (size_t i = 0; i < x->unseen.count; i++)
		note(p, out, x->unseen.at[i]);
	e = builds(db, p, x, out, w);
	if (e == OK && x->series.is) {
		struct span_s each;
		int64_t more = submit_measured(x) - 1 + (x->series.check_config != NULL);

		e = build_span(db, p, &x->kernel[0], out, &each, w);
		if (e == OK)
			add(&out->build, times(each, (double)more));
		out->builds += more;
		note(p, out,
		     x->series.every
		             ? "how many patches the series has is known once it is resolved: as "
		               "many kernels are counted as can be booted"
		             : "how many patches the series has is known once it is resolved: each "
		               "that is neither mark nor tip is one more build");
		if (!x->series.every && x->series.steps)
			note(p, out,
			     "where marks and tip differ prefixes in between are booted to find "
			     "the patches that matter: they are not counted");
	}
	out->total = out->build;
	for (size_t i = 0; e == OK && i < x->boards.count; i++) {
		struct board b = {0};

		e = boots(db, p, x, i, out, w);
		if (e != OK)
			break;
		e = store_board_get(db, x->boards.at[i], p, &b, w);
		noise |= e == OK && !b.deterministic;
		add(&out->total, out->board[i].all);
		out->guess |= out->board[i].guess && out->board[i].boots > out->board[i].reused;
		if (out->board[i].all.expected >= most.expected)
			most = out->board[i].all;
	}
	out->elapsed = out->build;
	add(&out->elapsed, most);
	if (e == OK && noise && x->s.boots == NONE)
		note(p, out,
		     "on a board with noise more boots follow where the first do not decide");
	if (e == OK)
		note(p, out, "what waits before it is not counted");
	return e;
}
