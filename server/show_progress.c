/* show_progress.c - how far a submission is, and when it may end. */
#include "server/show.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_more.h"

#include <math.h>

struct progress {
	int64_t jobs_done, jobs_total, boots_done, boots_total, cases_done, cases_total;
	double left_s; /* NAN: nothing to tell it from */
};

static bool is_open(const struct job *j)
{
	return str_eq(j->state, "queued") || str_eq(j->state, "leased");
}

static double spent_s(const struct job *j, int64_t now_ms)
{
	if (!str_eq(j->state, "leased") || j->started_ms == NONE)
		return 0;
	return (double)(now_ms - j->started_ms) / 1000;
}

/* Of one that took longer than such jobs do, only its own word tells what is left:
 * a kernel of another configuration builds for minutes instead of seconds. */
static double left_of_one(const struct job *j, double each, int64_t now_ms)
{
	double spent = spent_s(j, now_ms);

	if (!(spent > each))
		return each - spent;
	return j->total > 0 && j->done > 0 ? spent * (double)(j->total - j->done) / (double)j->done
	                                   : NAN;
}

/* What is left of a kind of job, each as long as the last ones of its kind
 * took: of those that wait, and of those that are to come. */
static enum err left_of(struct db *db, const struct job_list *jobs, const char *kind,
                        const char *board, int64_t to_come, int64_t now_ms, double *left,
                        struct why *w)
{
	double each, sum;
	size_t i;
	enum err e = store_job_seconds(db, kind, board, &each, w);

	if (e != OK)
		return e;
	sum = to_come ? (double)to_come * each : 0;
	for (i = 0; i < jobs->count; i++) {
		const struct job *j = &jobs->at[i];

		if (!is_open(j) || !str_eq(j->kind, kind) || (board && !str_eq(j->board, board)))
			continue;
		sum += left_of_one(j, each, now_ms);
	}
	*left = sum;
	return OK;
}

/* Boots of all boards run side by side; resolving, building, booting follow
 * one another. */
static enum err left_s(struct db *db, struct pool *p, const struct sub *s,
                       const struct sub_kernels *kernels, const struct job_list *jobs,
                       const struct texts *boards, int64_t now_ms, struct progress *g,
                       struct why *w)
{
	double resolve = 0, build = 0, boot = 0, most = 0;
	int64_t to_build = 0;
	size_t i;
	enum err e;

	for (i = 0; i < kernels->count; i++)
		to_build += str_eq(kernels->at[i].state, "resolving") ||
		            str_eq(kernels->at[i].state, "new");
	e = left_of(db, jobs, "resolve", NULL, 0, now_ms, &resolve, w);
	if (e == OK)
		e = left_of(db, jobs, "build", NULL, to_build, now_ms, &build, w);
	for (i = 0; e == OK && i < boards->count; i++) {
		struct board b = {0};
		int64_t n = 0;

		e = store_board_get(db, boards->at[i], p, &b, w);
		if (e == ERR_NOT_FOUND) {
			e = OK;
			continue;
		}
		if (!s->planned) {
			n = schedule_boots(s->boots, b.deterministic);
			n = (n + b.deterministic) * (int64_t)kernels->count;
			g->boots_total += n;
		}
		if (e == OK)
			e = left_of(db, jobs, "boot", boards->at[i], n, now_ms, &boot, w);
		if (!(boot <= most))
			most = isnan(most) ? most : boot;
	}
	g->left_s = resolve + build + most;
	return e;
}

static json_t *show_active(const struct job *j, int64_t now_ms)
{
	json_t *o = json_object();

	json_put_int(o, "job", j->id);
	json_put_str(o, "kind", j->kind);
	json_put_str(o, "kernel", j->name);
	json_put_str(o, "board", j->board);
	json_put_str(o, "agent", j->agent);
	json_put_str(o, "step", j->step);
	show_int(o, "done", j->done);
	show_int(o, "total", j->total);
	json_put_real(o, "elapsed_s", spent_s(j, now_ms));
	return o;
}

enum err show_progress(struct db *db, struct pool *p, const struct sub *s,
                       const struct sub_kernels *kernels, const struct job_list *jobs,
                       const struct texts *boards, size_t cases, json_t **out, struct why *w)
{
	struct progress g = {.left_s = NAN};
	int64_t now = clock_wall_ms(), reused = 0, until, since = NONE;
	json_t *o, *active;
	size_t i;
	enum err e = store_boot_reused_count(db, s->id, &reused, w);

	/* One that is open again began when it was opened. */
	if (e == OK && s->ended_ms == NONE)
		e = store_more_at(db, s->id, &since, w);
	if (e == OK && s->ended_ms == NONE)
		e = left_s(db, p, s, kernels, jobs, boards, now, &g, w);
	if (e != OK)
		return e;
	o = json_object();
	active = json_array();
	g.boots_done = reused;
	g.boots_total += reused;
	for (i = 0; i < jobs->count; i++) {
		const struct job *j = &jobs->at[i];
		bool boot = str_eq(j->kind, "boot") && !job_is_check(j);

		g.jobs_total++;
		g.jobs_done += !is_open(j);
		g.boots_total += boot;
		g.boots_done += boot && !is_open(j);
		if (!str_eq(j->state, "leased"))
			continue;
		json_array_append_new(active, show_active(j, now));
		if (boot && j->total == (int64_t)cases && j->done != NONE && j->done <= j->total)
			g.cases_done += j->done;
	}
	g.cases_total = g.boots_total * (int64_t)cases;
	g.cases_done += g.boots_done * (int64_t)cases;
	until = s->ended_ms == NONE ? now : s->ended_ms;
	json_put_int(o, "jobs_done", g.jobs_done);
	json_put_int(o, "jobs_total", g.jobs_total);
	json_put_int(o, "boots_done", g.boots_done);
	json_put_int(o, "boots_total", g.boots_total);
	json_put_int(o, "cases_done", g.cases_done);
	json_put_int(o, "cases_total", g.cases_total);
	json_put_real(o, "elapsed_s",
	              (double)(until - (since == NONE ? s->created_ms : since)) / 1000);
	json_put_real(o, "expected_end_s", isnan(g.left_s) ? NAN : fmax(g.left_s, 0));
	json_put(o, "active", active);
	*out = o;
	return OK;
}
