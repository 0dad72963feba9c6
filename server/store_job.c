/* store_job.c - SQL for jobs: adding, reading, ending. Claims: store_claim.c. */
#include "server/store_job.h"

#include "lib/mem.h"
#include "server/store_share.h"

/* A plan has some kilobytes: only a single job brings it along. */
#define JOB_PLAN "coalesce(plan, (SELECT s.plan FROM submission s WHERE s.id = job.submission_id))"
#define NO_PLAN  "NULL"
#define JOB_COLUMNS(plan)                                                                   \
	"id, kind, purpose, state, urgency, seq, submission_id, kernel_id, name, domain,"   \
	" tree, ref, toolchain, compiler, board, " plan ", metric, memory_bytes, phase,"    \
	" phase_pages, replicate, about, baseline, attempt, agent, nonce, lease_until_ms,"  \
	" infra_failures, class, why, step, done, total, created_ms, started_ms, ended_ms," \
	" submitter, base_of"

bool job_is_check(const struct job *j)
{
	return str_eq(j->purpose, "health") || str_eq(j->purpose, "confirm");
}

struct job job_blank(void)
{
	return (struct job){.submission = NONE,
	                    .kernel = NONE,
	                    .memory_bytes = NONE,
	                    .phase = NONE,
	                    .phase_pages = NONE,
	                    .about = NONE,
	                    .purpose = "work"};
}

static void job_row(struct db_stmt *q, struct pool *p, struct job *j)
{
	j->id = db_int(q, 0);
	j->kind = col_str(q, 1, p);
	j->purpose = col_str(q, 2, p);
	j->state = col_str(q, 3, p);
	j->urgency = db_int(q, 4);
	j->seq = db_int(q, 5);
	j->submission = opt_int(q, 6);
	j->kernel = opt_int(q, 7);
	j->name = col_str(q, 8, p);
	j->domain = col_str(q, 9, p);
	j->tree = col_str(q, 10, p);
	j->ref = col_str(q, 11, p);
	j->toolchain = col_str(q, 12, p);
	j->compiler = col_str(q, 13, p);
	j->board = col_str(q, 14, p);
	j->plan = col_str(q, 15, p);
	j->metric = col_str(q, 16, p);
	j->memory_bytes = opt_int(q, 17);
	j->phase = opt_int(q, 18);
	j->phase_pages = opt_int(q, 19);
	j->replicate = db_int(q, 20);
	j->about = opt_int(q, 21);
	j->baseline = db_int(q, 22) != 0;
	j->attempt = db_int(q, 23);
	j->agent = col_str(q, 24, p);
	j->nonce = col_str(q, 25, p);
	j->lease_until_ms = opt_int(q, 26);
	j->infra_failures = db_int(q, 27);
	j->class = col_str(q, 28, p);
	j->why = col_str(q, 29, p);
	j->step = col_str(q, 30, p);
	j->done = opt_int(q, 31);
	j->total = opt_int(q, 32);
	j->created_ms = db_int(q, 33);
	j->started_ms = opt_int(q, 34);
	j->ended_ms = opt_int(q, 35);
	j->submitter = col_str(q, 36, p);
	j->base_of = col_str(q, 37, p);
}

/* Its lane is there once it is. */
static enum err wait_in_lane(struct db *db, int64_t id, struct why *w)
{
	struct pool *p = pool_new();
	struct db_stmt *q =
	        db_prepare(db, "SELECT board, submitter, urgency FROM job WHERE id = ?1");
	const char *board = NULL, *submitter = NULL;
	int64_t urgency = 0;
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		board = col_str(q, 0, p);
		submitter = col_str(q, 1, p);
		urgency = db_int(q, 2);
	}
	db_done(q);
	if (submitter)
		e = store_lane_add(db, board, submitter, urgency, w);
	pool_free(p);
	return e;
}

enum err store_job_add(struct db *db, const struct job *j, int64_t now_ms, int64_t *id,
                       struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO job (kind, purpose, state, urgency, seq, submission_id,"
	            " kernel_id, name, domain, tree, ref, toolchain, compiler, board, plan,"
	            " metric, memory_bytes, phase, phase_pages, replicate, about, baseline,"
	            " created_ms, submitter, base_of)"
	            " VALUES (?1, ?2, 'queued', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
	            " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, coalesce(?23, (SELECT"
	            " s.submitter FROM submission s WHERE s.id = ?5), ''), ?24) RETURNING id");
	enum err e;

	db_bind_text(q, 1, j->kind);
	db_bind_text(q, 2, j->purpose);
	db_bind_int(q, 3, j->urgency);
	db_bind_int(q, 4, j->seq);
	bind_opt(q, 5, j->submission);
	bind_opt(q, 6, j->kernel);
	db_bind_text(q, 7, j->name);
	db_bind_text(q, 8, j->domain);
	db_bind_text(q, 9, j->tree);
	db_bind_text(q, 10, j->ref);
	db_bind_text(q, 11, j->toolchain);
	db_bind_text(q, 12, j->compiler);
	db_bind_text(q, 13, j->board);
	db_bind_text(q, 14, j->plan);
	db_bind_text(q, 15, j->metric);
	bind_opt(q, 16, j->memory_bytes);
	bind_opt(q, 17, j->phase);
	bind_opt(q, 18, j->phase_pages);
	db_bind_int(q, 19, j->replicate);
	bind_opt(q, 20, j->about);
	db_bind_int(q, 21, j->baseline);
	db_bind_int(q, 22, now_ms);
	db_bind_text(q, 23, job_is_check(j) ? "" : j->submitter);
	db_bind_text(q, 24, j->base_of);
	e = db_run_int(q, id, w);
	return e == OK ? wait_in_lane(db, *id, w) : e;
}

enum err store_job_get(struct db *db, int64_t id, struct pool *p, struct job *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT " JOB_COLUMNS(JOB_PLAN) " FROM job WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		job_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no job %lld", (long long)id);
	db_done(q);
	return e;
}

static enum err read_jobs(struct db_stmt *q, struct pool *p, struct job_list *out, struct why *w)
{
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		job_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_job_list(struct db *db, int64_t submission, const char *state, int64_t before,
                        int64_t limit, struct pool *p, struct job_list *out, struct why *w)
{
	/* Two texts, so that each has an index to walk. */
	struct db_stmt *q = db_prepare(
	        db, submission == NONE
	                    ? "SELECT " JOB_COLUMNS(NO_PLAN) " FROM job WHERE id < ?2"
	                                                     " AND (?3 IS NULL OR state = ?3) "
	                                                     "ORDER BY id DESC LIMIT ?4"
	                    : "SELECT " JOB_COLUMNS(
	                              NO_PLAN) " FROM job WHERE submission_id = ?1 AND id < ?2"
	                                       " AND (?3 IS NULL OR state = ?3) ORDER BY id DESC "
	                                       "LIMIT ?4");

	if (submission != NONE)
		db_bind_int(q, 1, submission);
	db_bind_int(q, 2, before);
	db_bind_text(q, 3, state);
	db_bind_int(q, 4, limit);
	return read_jobs(q, p, out, w);
}

enum err store_job_of_sub(struct db *db, int64_t submission, struct pool *p, struct job_list *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "SELECT " JOB_COLUMNS(NO_PLAN) " FROM job WHERE submission_id = ?1 ORDER BY id");

	db_bind_int(q, 1, submission);
	return read_jobs(q, p, out, w);
}

enum err store_job_about(struct db *db, int64_t about, struct pool *p, struct job_list *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT " JOB_COLUMNS(NO_PLAN) " FROM job WHERE about = ?1 ORDER BY id");

	db_bind_int(q, 1, about);
	return read_jobs(q, p, out, w);
}

/* ---- the end, and what it cost its submitter */

/* What a statement on one job RETURNs of it, before or after. */
#define SPENT "board, submitter, started_ms, ended_ms, class, state, kind"

struct spent {
	struct pool *p;
	const char *board, *submitter, *class, *state, *kind;
	int64_t started_ms, ended_ms;
	bool is; /* there is such a job */
};

static enum err read_spent(struct db_stmt *q, struct spent *s, struct why *w)
{
	enum err e = db_step(q, w);

	*s = (struct spent){.p = pool_new()};
	s->is = e == OK && db_has_row(q);
	if (s->is) {
		s->board = col_str(q, 0, s->p);
		s->submitter = col_str(q, 1, s->p);
		s->started_ms = opt_int(q, 2);
		s->ended_ms = opt_int(q, 3);
		s->class = col_str(q, 4, s->p);
		s->state = col_str(q, 5, s->p);
		s->kind = col_str(q, 6, s->p);
	}
	db_done(q);
	return e;
}

/* An agent had it, and what went wrong was not the agent or the board; a queued job
 * that was tried before has that failure's class. Walks are short, and those that brought
 * nothing go (walk_tidy()), so none counts. The same in store_share.c. */
static bool counts(const struct spent *s)
{
	return s->is && *s->submitter && !str_eq(s->kind, "walk") && s->started_ms != NONE &&
	       s->ended_ms != NONE &&
	       (str_eq(s->state, "done") ||
	        (str_eq(s->state, "failed") && !str_eq(s->class, "infra")) ||
	        (str_eq(s->state, "cancelled") && !s->class));
}

static enum err add_spent(struct db *db, struct spent *s, bool put_back, enum err e, struct why *w)
{
	if (e == OK && counts(s))
		e = store_usage_add(db, s->board, s->submitter, s->started_ms, s->ended_ms,
		                    put_back, w);
	pool_free(s->p);
	return e;
}

enum err store_job_end(struct db *db, int64_t id, const char *state, const char *class,
                       const char *why, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "UPDATE job SET state = ?2, class = ?3, why = ?4, ended_ms = ?5,"
	            " lease_until_ms = NULL WHERE id = ?1 AND state IN ('queued', 'leased')"
	            " RETURNING " SPENT);
	struct spent s = {0};

	db_bind_int(q, 1, id);
	db_bind_text(q, 2, state);
	db_bind_text(q, 3, class);
	db_bind_text(q, 4, why);
	db_bind_int(q, 5, now_ms);
	return add_spent(db, &s, false, read_spent(q, &s, w), w);
}

/* Whatever it counted for is taken away. */
static enum err unspend(struct db *db, int64_t id, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT " SPENT " FROM job WHERE id = ?1");
	struct spent s = {0};

	db_bind_int(q, 1, id);
	return add_spent(db, &s, true, read_spent(q, &s, w), w);
}

enum err store_job_requeue(struct db *db, int64_t id, const char *why, struct why *w)
{
	struct db_stmt *q;
	enum err e = unspend(db, id, w);

	if (e != OK)
		return e;
	q = db_prepare(
	        db, "UPDATE job SET state = 'queued', class = 'infra', why = ?2,"
	            " infra_failures = infra_failures + 1, lease_until_ms = NULL, ended_ms = NULL,"
	            " step = NULL, done = NULL, total = NULL"
	            " WHERE id = ?1 AND state IN ('leased', 'failed')");
	db_bind_int(q, 1, id);
	db_bind_text(q, 2, why);
	return db_run(q, w);
}

enum err store_job_cancel(struct db *db, int64_t id, const char *why, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "UPDATE job SET state = 'cancelled', why = ?2, ended_ms = ?3,"
	            " lease_until_ms = NULL WHERE id = ?1 AND state IN ('queued', 'leased')"
	            " RETURNING " SPENT);
	struct spent s = {0};

	db_bind_int(q, 1, id);
	db_bind_text(q, 2, why);
	db_bind_int(q, 3, now_ms);
	return add_spent(db, &s, false, read_spent(q, &s, w), w);
}

enum err store_job_move(struct db *db, int64_t id, int64_t submission, int64_t seq, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE job SET submission_id = ?2, seq = ?3,"
	                                   " submitter = (SELECT s.submitter FROM submission s"
	                                   " WHERE s.id = ?2) WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	db_bind_int(q, 2, submission);
	db_bind_int(q, 3, seq);
	e = db_run(q, w);
	return e == OK ? wait_in_lane(db, id, w) : e;
}

enum err store_job_why(struct db *db, int64_t id, const char *class, const char *why, struct why *w)
{
	struct db_stmt *q;
	enum err e = str_eq(class, "infra") ? unspend(db, id, w) : OK;

	if (e != OK)
		return e;
	q = db_prepare(db, "UPDATE job SET class = ?2, why = ?3 WHERE id = ?1");
	db_bind_int(q, 1, id);
	db_bind_text(q, 2, class);
	db_bind_text(q, 3, why);
	return db_run(q, w);
}

static enum err first_id(struct db_stmt *q, int64_t *id, struct why *w)
{
	enum err e = db_step(q, w);

	*id = e == OK && db_has_row(q) ? opt_int(q, 0) : NONE;
	db_done(q);
	return e;
}

enum err store_job_open(struct db *db, int64_t submission, int64_t *count, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT count(*) FROM job WHERE submission_id = ?1"
	                                   " AND state IN ('queued', 'leased')");

	db_bind_int(q, 1, submission);
	return db_run_int(q, count, w);
}

enum err store_job_resolving(struct db *db, int64_t submission, const char *tree, const char *ref,
                             const char *base_of, int64_t *id, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT id FROM job WHERE submission_id = ?1 AND kind = 'resolve'"
	                       " AND tree = ?2 AND ref = ?3"
	                       " AND coalesce(base_of, '') = coalesce(?4, '')");

	db_bind_int(q, 1, submission);
	db_bind_text(q, 2, tree);
	db_bind_text(q, 3, ref);
	db_bind_text(q, 4, base_of);
	return first_id(q, id, w);
}

enum err store_job_waiting(struct db *db, const char *board, int64_t submission, int64_t kernel,
                           struct pool *p, struct ids *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT id FROM job WHERE board = ?1 AND state = 'queued'"
	                       " AND purpose IN ('work', 'validate') AND (?2 IS NULL OR "
	                       "submission_id = ?2) AND (?3 IS NULL OR kernel_id = ?3)"
	                       " ORDER BY id");

	db_bind_text(q, 1, board);
	bind_opt(q, 2, submission);
	bind_opt(q, 3, kernel);
	return read_ids(q, p, out, w);
}

enum err store_job_health(struct db *db, const char *board, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT id FROM job WHERE board = ?1 AND state IN ('queued', 'leased')"
	            " AND purpose = 'health' ORDER BY id LIMIT 1");

	db_bind_text(q, 1, board);
	return first_id(q, id, w);
}

enum err store_job_failed_boots(struct db *db, int64_t submission, int64_t kernel,
                                const char *board, int64_t *count, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT count(*) FROM job WHERE kernel_id = ?1 AND kind = 'boot'"
	                       " AND submission_id = ?2 AND board = ?3 AND purpose = 'work'"
	                       " AND state = 'failed' AND class IN ('kernel', 'boot')");

	db_bind_int(q, 1, kernel);
	db_bind_int(q, 2, submission);
	db_bind_text(q, 3, board);
	return db_run_int(q, count, w);
}

/* Of so many last jobs the mean is taken. */
#define SECONDS_OVER 8

enum err store_job_seconds(struct db *db, const char *kind, const char *board, double *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, board ? "SELECT avg(ms) / 1000.0 FROM (SELECT ended_ms - started_ms AS ms"
	                    " FROM job WHERE kind = ?1 AND board = ?2 AND state = 'done'"
	                    " ORDER BY id DESC LIMIT ?3) t"
	                  : "SELECT avg(ms) / 1000.0 FROM (SELECT ended_ms - started_ms AS ms"
	                    " FROM job WHERE kind = ?1 AND state = 'done'"
	                    " ORDER BY id DESC LIMIT ?3) t");
	enum err e;

	db_bind_text(q, 1, kind);
	if (board)
		db_bind_text(q, 2, board);
	db_bind_int(q, 3, SECONDS_OVER);
	e = db_step(q, w);
	*out = e == OK && db_has_row(q) ? opt_num(q, 0) : NAN;
	db_done(q);
	return e;
}

enum err store_job_answer(struct db *db, int64_t job, const char *key, struct pool *p, bool *found,
                          struct job_answer *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT content_hash, state, boot_id FROM job_result"
	                                   " WHERE job_id = ?1 AND idem_key = ?2");
	enum err e;

	db_bind_int(q, 1, job);
	db_bind_text(q, 2, key);
	e = db_step(q, w);
	*found = e == OK && db_has_row(q);
	if (*found) {
		out->content_hash = col_str(q, 0, p);
		out->state = col_str(q, 1, p);
		out->boot = opt_int(q, 2);
	}
	db_done(q);
	return e;
}

enum err store_job_answer_add(struct db *db, int64_t job, const char *key,
                              const struct job_answer *a, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO job_result (job_id, idem_key, content_hash, state,"
	                       " boot_id) VALUES (?1, ?2, ?3, ?4, ?5)");

	db_bind_int(q, 1, job);
	db_bind_text(q, 2, key);
	db_bind_text(q, 3, a->content_hash);
	db_bind_text(q, 4, a->state);
	bind_opt(q, 5, a->boot);
	return db_run(q, w);
}
