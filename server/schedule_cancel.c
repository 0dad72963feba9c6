/* schedule_cancel.c - a submission ends before its jobs do. */
#include "server/schedule.h"

#include "lib/mem.h"
#include "server/store_more.h"

/* A build that somebody else waits for goes on, as theirs. */
static enum err cancel_build(struct db *db, struct pool *p, const struct job *j, int64_t now_ms,
                             struct why *w)
{
	struct ids subs = {0};
	size_t i;
	enum err e = store_sub_of_kernel(db, j->kernel, p, &subs, w);

	for (i = 0; e == OK && i < subs.count; i++)
		if (subs.at[i] != j->submission)
			return store_job_move(db, j->id, subs.at[i], j->seq, w);
	if (e == OK)
		e = store_job_cancel(db, j->id, "the submission was cancelled", now_ms, w);
	if (e == OK)
		e = store_kernel_failed(db, j->kernel, "its build was cancelled", w);
	return e;
}

enum err schedule_cancel(struct db *db, int64_t sub, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct job_list jobs = {0};
	struct sub s;
	int64_t added = 0;
	size_t i;
	enum err e = store_sub_get(db, sub, p, &s, w);

	if (e == OK)
		e = store_more_boots(db, sub, NULL, &added, w);
	if (e == OK && s.ended_ms == NONE)
		e = store_job_of_sub(db, sub, p, &jobs, w);
	for (i = 0; e == OK && i < jobs.count; i++) {
		const struct job *j = &jobs.at[i];

		if (!str_eq(j->state, "queued") && !str_eq(j->state, "leased"))
			continue;
		e = str_eq(j->kind, "build")
		            ? cancel_build(db, p, j, now_ms, w)
		            : store_job_cancel(db, j->id, "the submission was cancelled", now_ms,
		                               w);
	}
	/* One that was done is done again, with the boots that it has. */
	if (e == OK && s.ended_ms == NONE && !added)
		e = sched_sub_ends(db, sub, "cancelled", NULL, now_ms, w);
	pool_free(p);
	return e;
}

enum err schedule_spare(struct db *db, int64_t sub, const char *why, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct job_list jobs = {0};
	enum err e = store_job_of_sub(db, sub, p, &jobs, w);

	for (size_t i = 0; e == OK && i < jobs.count; i++)
		if (str_eq(jobs.at[i].state, "queued"))
			e = store_job_cancel(db, jobs.at[i].id, why, now_ms, w);
	if (e == OK)
		e = sched_sub_ends(db, sub, "done", why, now_ms, w);
	pool_free(p);
	return e;
}
