/*
 * schedule_board.c - boards that fail: retry, confirm, quarantine, health.
 *
 * Evidence decides. A boot that did not come up for no reason told is the
 * kernel's fault only when a known-good kernel boots afterwards; the known-good
 * kernel of a board is its last validly booted baseline. Where nobody can find
 * out (no known-good kernel, a health check that failed), what waits for the
 * board fails as infra: a submission ends, it never hangs.
 */
#include "server/schedule.h"

#include "lib/hash.h"
#include "lib/mem.h"
#include "server/store_board.h"
#include "server/store_fault.h"

#include <string.h>

/* Short, on every kernel, and exact on a deterministic board. */
#define CHECK_PLAN   "# foldbench plan 1\nfork/order=0,size=16M runs=1 iterations=5 warmup=1\n"
#define CHECK_MEMORY (GUEST_EXTRA_BYTES + (INT64_C(16) << 20))

static enum err add_check(struct db *db, const struct board *b, const struct kernel *k,
                          const char *purpose, int64_t submission, int64_t about, int64_t replicate,
                          int64_t now_ms, int64_t *id, struct why *w)
{
	struct job j = job_blank();

	j.kind = "boot";
	j.purpose = purpose;
	j.urgency = URGENCY_CHECK;
	j.seq = replicate;
	j.submission = submission;
	j.kernel = k->id;
	j.name = "known-good";
	j.domain = k->domain;
	j.board = b->name;
	j.plan = CHECK_PLAN;
	j.metric = b->metric;
	j.memory_bytes = CHECK_MEMORY;
	j.phase = 0;
	j.phase_pages = b->deterministic ? schedule_phase_pages(0) : 0;
	j.replicate = replicate;
	j.about = about;
	return store_job_add(db, &j, now_ms, id, w);
}

enum err sched_fail_waiting(struct db *db, const char *board, const char *why, int64_t now_ms,
                            struct why *w)
{
	struct pool *p = pool_new();
	struct ids jobs = {0};
	size_t i;
	enum err e = store_job_waiting(db, board, NONE, NONE, p, &jobs, w);

	why = pool_fmt(p, "board \"%s\" is quarantined: %s", board, why ? why : "no reason given");
	for (i = 0; e == OK && i < jobs.count; i++)
		e = store_job_end(db, jobs.at[i], "failed", "infra", why, now_ms, w);
	pool_free(p);
	return e;
}

/* Queues the health check: the known-good kernel, twice. *queued false: there
 * is no such kernel yet. */
static enum err check_health(struct db *db, struct pool *p, const struct board *b, bool *queued,
                             int64_t now_ms, struct why *w)
{
	struct kernel good;
	int64_t kernel = NONE, open = NONE, first, second;
	enum err e;

	*queued = false;
	e = store_job_health(db, b->name, &open, w);
	if (e == OK && open != NONE) {
		*queued = true;
		return OK;
	}
	if (e == OK)
		e = store_board_known_good(db, b->name, &kernel, w);
	if (e != OK || kernel == NONE)
		return e;
	e = store_kernel_get(db, kernel, p, &good, w);
	if (e == OK)
		e = add_check(db, b, &good, "health", NONE, NONE, 0, now_ms, &first, w);
	if (e == OK)
		e = add_check(db, b, &good, "health", NONE, first, 1, now_ms, &second, w);
	*queued = e == OK;
	return e;
}

/* By the server: with a health check, or with what waits given up. */
static enum err quarantine(struct db *db, struct pool *p, const struct board *b, const char *why,
                           int64_t job, int64_t now_ms, struct why *w)
{
	bool queued = false;
	enum err e = check_health(db, p, b, &queued, now_ms, w);

	if (!queued)
		why = pool_fmt(p, "%s; it has no known-good kernel yet to check it with", why);
	if (e == OK)
		e = store_board_state(db, b->name, "quarantined", why, w);
	if (e == OK)
		e = store_board_event(db, b->name, "quarantined", why, NULL, job, NONE, now_ms, w);
	if (e == OK && !queued)
		e = sched_fail_waiting(db, b->name, why, now_ms, w);
	return e;
}

/* ---- work that failed */

static enum err infra(struct db *db, struct pool *p, const struct job *j, const struct board *b,
                      const char *why, bool vanished, int64_t now_ms, struct why *w)
{
	/* An agent that vanished says nothing about a board beside it; on a
	 * `self` board the agent is the board. */
	bool counts = !vanished || str_eq(b->kind, "self");
	int64_t streak = b->infra_streak + (counts ? 1 : 0);
	enum err e;

	e = j->infra_failures < INFRA_RETRIES
	            ? store_job_requeue(db, j->id, why, w)
	            : store_job_end(db, j->id, "failed", "infra", why, now_ms, w);
	if (e == OK)
		e = store_board_event(db, b->name, "infra", why, NULL, j->id, NONE, now_ms, w);
	if (e == OK && counts)
		e = store_board_streak(db, b->name, streak, w);
	if (e == OK && counts && streak >= INFRA_STREAK && str_eq(b->state, "active"))
		e = quarantine(db, p, b,
		               pool_fmt(p, "%lld infra failures in a row, the last: %s",
		                        (long long)streak, why),
		               j->id, now_ms, w);
	return e;
}

/* After two boots that did not end well and none that did, the rest of this
 * kernel's boots here would only cost their time-outs. */
static enum err give_up(struct db *db, struct pool *p, const struct job *j, int64_t now_ms,
                        struct why *w)
{
	struct ids rest = {0};
	int64_t failed = 0, valid = 0, may_count = 0;
	size_t i;
	enum err e = store_job_failed_boots(db, j->submission, j->kernel, j->board, &failed, w);

	/* Those with known faults ended well enough. */
	if (e == OK)
		e = store_known_may_count(db, j->submission, j->kernel, j->board, now_ms,
		                          &may_count, w);
	failed -= may_count;
	if (e == OK)
		e = store_boot_valid_count(db, j->submission, j->kernel, j->board, &valid, w);
	if (e != OK || failed < FAILED_BOOTS || valid > 0)
		return e;
	e = store_job_waiting(db, j->board, j->submission, j->kernel, p, &rest, w);
	for (i = 0; e == OK && i < rest.count; i++)
		e = store_job_cancel(db, rest.at[i],
		                     "not tried: this kernel's boots on this board failed", now_ms,
		                     w);
	return e;
}

static enum err unexplained(struct db *db, struct pool *p, const struct job *j,
                            const struct board *b, const char *why, int64_t now_ms, struct why *w)
{
	struct kernel good;
	int64_t kernel = NONE, id;
	enum err e = store_board_known_good(db, b->name, &kernel, w);

	if (e != OK)
		return e;
	if (kernel == NONE)
		return store_job_end(
		        db, j->id, "failed", "boot",
		        pool_fmt(p, "%s (board \"%s\" has no known-good kernel yet to confirm it)",
		                 why, b->name),
		        now_ms, w);
	e = store_job_end(db, j->id, "failed", "boot", why, now_ms, w);
	if (e == OK)
		e = store_kernel_get(db, kernel, p, &good, w);
	if (e == OK)
		e = add_check(db, b, &good, "confirm", j->submission, j->id, 0, now_ms, &id, w);
	return e;
}

enum err sched_boot_failed(struct db *db, const struct job *j, const char *class, const char *why,
                           bool vanished, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct board b = {0};
	enum err e = store_board_get(db, j->board, p, &b, w);

	if (e != OK)
		goto out;
	if (str_eq(class, "infra")) {
		e = infra(db, p, j, &b, why, vanished, now_ms, w);
		if (e == OK && j->infra_failures >= INFRA_RETRIES && job_is_check(j))
			e = sched_check_ended(db, j, now_ms, w);
		goto out;
	}
	if (job_is_check(j)) {
		e = store_job_end(db, j->id, "failed", class, why, now_ms, w);
		if (e == OK)
			e = sched_check_ended(db, j, now_ms, w);
		goto out;
	}
	if (str_eq(class, "boot")) {
		e = unexplained(db, p, j, &b, why, now_ms, w);
	} else {
		/* A fault in its log, or a benchmark that failed: the board came up. */
		e = store_job_end(db, j->id, "failed", class, why, now_ms, w);
		if (e == OK)
			e = store_board_streak(db, b.name, 0, w);
	}
	if (e == OK && !str_eq(class, "bench"))
		e = give_up(db, p, j, now_ms, w);
out:
	pool_free(p);
	return e;
}

/* ---- checks that ended */

/* Did the boot of this ended job come up with valid numbers? */
static enum err came_up(struct db *db, struct pool *p, const struct job *j, int64_t *boot,
                        bool *valid, const char **why, struct why *w)
{
	struct boot b;
	enum err e = OK;

	*valid = false;
	*boot = NONE;
	*why = j->why ? j->why : "it told no boot";
	if (!str_eq(j->state, "done"))
		return OK;
	e = store_boot_of_job(db, j->id, boot, w);
	if (e == OK && *boot != NONE)
		e = store_boot_get(db, *boot, p, &b, w);
	if (e == OK && *boot != NONE) {
		*valid = b.valid;
		*why = b.why;
	}
	return e;
}

static enum err confirm_ended(struct db *db, struct pool *p, const struct job *j,
                              const struct board *b, int64_t now_ms, struct why *w)
{
	struct job about;
	const char *why;
	int64_t boot;
	bool valid;
	enum err e = came_up(db, p, j, &boot, &valid, &why, w);

	if (e == OK)
		e = store_job_get(db, j->about, p, &about, w);
	if (e != OK)
		return e;
	if (valid)
		return store_job_why(
		        db, about.id, "boot",
		        pool_fmt(p, "%s (confirmed: known-good kernel %lld booted after it)",
		                 about.why, (long long)j->kernel),
		        w);
	why = pool_fmt(p, "%s; the known-good kernel %lld did not boot either: %s", about.why,
	               (long long)j->kernel, why);
	e = about.infra_failures < INFRA_RETRIES ? store_job_requeue(db, about.id, why, w)
	                                         : store_job_why(db, about.id, "infra", why, w);
	if (e == OK)
		e = store_boot_unlink(db, about.submission, about.id, w);
	if (e == OK && str_eq(b->state, "active"))
		e = quarantine(db, p, b, why, j->id, now_ms, w);
	return e;
}

static enum err unhealthy(struct db *db, struct pool *p, const struct board *b, const char *why,
                          int64_t job, int64_t now_ms, struct why *w)
{
	enum err e;

	why = pool_fmt(p, "its health check failed: %s", why);
	e = store_board_event(db, b->name, "unhealthy", why, NULL, job, NONE, now_ms, w);
	if (e == OK)
		e = store_board_state(db, b->name, "quarantined", why, w);
	return e == OK ? sched_fail_waiting(db, b->name, why, now_ms, w) : e;
}

static enum err health_ended(struct db *db, struct pool *p, const struct job *j,
                             const struct board *b, int64_t now_ms, struct why *w)
{
	struct job_list group = {0};
	struct run_pairs differ = {0};
	struct job first;
	const char *why, *bad = NULL;
	int64_t boot[2] = {NONE, NONE};
	size_t i;
	bool valid;
	enum err e;

	e = store_job_get(db, j->about == NONE ? j->id : j->about, p, &first, w);
	if (e == OK)
		e = store_job_about(db, first.id, p, &group, w);
	if (e != OK)
		return e;
	for (i = 0; i <= group.count && i < 2; i++) {
		const struct job *one = i == 0 ? &first : &group.at[i - 1];

		if (str_eq(one->state, "queued") || str_eq(one->state, "leased"))
			return OK;
		e = came_up(db, p, one, &boot[i], &valid, &why, w);
		if (e != OK)
			return e;
		if (!valid && !bad)
			bad = why;
	}
	if (!bad && b->deterministic)
		e = store_boot_differences(db, boot[0], boot[1], p, &differ, w);
	if (e == OK && differ.count)
		bad = pool_fmt(p, "two boots of kernel %lld differ in \"%s\"", (long long)j->kernel,
		               differ.at[0].case_text);
	if (e == OK && bad)
		return unhealthy(db, p, b, bad, j->id, now_ms, w);
	if (e == OK)
		e = store_board_event(db, b->name, "healthy",
		                      pool_fmt(p, "kernel %lld booted twice%s",
		                               (long long)j->kernel,
		                               b->deterministic ? ", equal in every sample" : ""),
		                      NULL, j->id, NONE, now_ms, w);
	if (e == OK)
		e = store_board_streak(db, b->name, 0, w);
	if (e == OK && str_eq(b->state, "quarantined"))
		e = store_board_state(db, b->name, "active", NULL, w);
	return e;
}

enum err sched_check_ended(struct db *db, const struct job *j, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct board b = {0};
	struct job now;
	enum err e = store_board_get(db, j->board, p, &b, w);

	if (e == OK)
		e = store_job_get(db, j->id, p, &now, w);
	if (e == OK)
		e = str_eq(j->purpose, "health") ? health_ended(db, p, &now, &b, now_ms, w)
		                                 : confirm_ended(db, p, &now, &b, now_ms, w);
	pool_free(p);
	return e;
}

/* ---- what a person does */

static enum err set_state(struct db *db, const char *board, const char *state, const char *event,
                          const char *why, const char *by, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct board b;
	enum err e = store_board_get(db, board, p, &b, w);

	if (e == OK)
		e = store_board_state(db, board, state, why, w);
	if (e == OK)
		e = store_board_event(db, board, event, why, by, NONE, NONE, now_ms, w);
	pool_free(p);
	return e;
}

enum err schedule_drain(struct db *db, const char *board, const char *why, const char *by,
                        int64_t now_ms, struct why *w)
{
	return set_state(db, board, "drained", "drained", why, by, now_ms, w);
}

enum err schedule_quarantine(struct db *db, const char *board, const char *why, const char *by,
                             int64_t now_ms, struct why *w)
{
	return set_state(db, board, "quarantined", "quarantined", why, by, now_ms, w);
}

enum err schedule_resume(struct db *db, const char *board, const char *why, const char *by,
                         int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct board b = {0};
	bool queued = false;
	enum err e = store_board_get(db, board, p, &b, w);

	if (e == OK && str_eq(b.state, "quarantined"))
		e = check_health(db, p, &b, &queued, now_ms, w);
	if (e == OK && str_eq(b.state, "quarantined") && !queued)
		why = pool_fmt(p, "%s%snothing was checked: it has no known-good kernel yet",
		               why ? why : "", why ? "; " : "");
	if (e == OK && queued) {
		e = store_board_event(db, board, "resumed",
		                      pool_fmt(p, "%s%swhen its health check passes",
		                               why ? why : "", why ? "; " : ""),
		                      by, NONE, NONE, now_ms, w);
	} else if (e == OK && !str_eq(b.state, "active")) {
		e = set_state(db, board, "active", "resumed", why, by, now_ms, w);
		if (e == OK)
			e = store_board_state(db, board, "active", NULL, w);
		if (e == OK)
			e = store_board_streak(db, board, 0, w);
	}
	pool_free(p);
	return e;
}

/* ---- two boots of one phase that differ */

enum err schedule_mismatch(struct db *db, const char *board, int64_t sub, const char *why,
                           int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct board b = {0};
	struct ids rest = {0};
	bool told;
	size_t i;
	enum err e = store_board_mismatch_told(db, board, sub, &told, w);

	if (e != OK || told)
		goto out;
	e = store_board_get(db, board, p, &b, w);
	if (e == OK)
		e = store_board_event(db, board, "mismatch", why, NULL, NONE, sub, now_ms, w);
	if (e == OK)
		e = store_job_waiting(db, board, sub, NONE, p, &rest, w);
	for (i = 0; e == OK && i < rest.count; i++)
		e = store_job_cancel(db, rest.at[i], why, now_ms, w);
	if (e == OK && str_eq(b.state, "active"))
		e = quarantine(db, p, &b, why, NONE, now_ms, w);
out:
	pool_free(p);
	return e;
}
