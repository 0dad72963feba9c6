/* store_boot.c - SQL for boots and runs: adding and reading them. */
#include "server/store_boot.h"

struct boot boot_blank(void)
{
	return (struct boot){.job = NONE,
	                     .submission = NONE,
	                     .phase = NONE,
	                     .phase_pages = NONE,
	                     .console_bytes = NONE,
	                     .taint_before = NONE,
	                     .taint_after = NONE,
	                     .seconds = NAN,
	                     .purpose = "work"};
}

static enum err add_env(struct db *db, const char *id, const char *body, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO environment (env_id, body) VALUES (?1, ?2)"
	                                   " ON CONFLICT DO NOTHING");

	db_bind_text(q, 1, id);
	db_bind_text(q, 2, body);
	return db_run(q, w);
}

static enum err add_row(struct db *db, const struct boot *b, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO boot (job_id, attempt, submission_id, kernel_id, board,"
	            " board_identity, env_id, purpose, baseline, plan_sha256, memory_bytes, phase,"
	            " phase_pages, replicate, valid, why, class, reached, metric, unit, better,"
	            " nonce, build_id, boot_uuid, bench, seconds, console, console_bytes,"
	            " taint_before, taint_after, imported, idem_key, content_hash, created_ms,"
	            " profile, traits_id)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
	            " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30,"
	            " ?31, ?32, ?33, ?34, ?35, ?36) RETURNING id");

	bind_opt(q, 1, b->job);
	db_bind_int(q, 2, b->attempt);
	bind_opt(q, 3, b->submission);
	db_bind_int(q, 4, b->kernel);
	db_bind_text(q, 5, b->board);
	db_bind_text(q, 6, b->board_identity);
	db_bind_text(q, 7, b->env_id);
	db_bind_text(q, 8, b->purpose);
	db_bind_int(q, 9, b->baseline);
	db_bind_text(q, 10, b->plan_sha256);
	db_bind_int(q, 11, b->memory_bytes);
	bind_opt(q, 12, b->phase);
	bind_opt(q, 13, b->phase_pages);
	db_bind_int(q, 14, b->replicate);
	db_bind_int(q, 15, b->valid);
	db_bind_text(q, 16, b->why);
	db_bind_text(q, 17, b->class);
	db_bind_text(q, 18, b->reached);
	db_bind_text(q, 19, b->metric);
	db_bind_text(q, 20, b->unit);
	db_bind_text(q, 21, b->better);
	db_bind_text(q, 22, b->nonce);
	db_bind_text(q, 23, b->build_id);
	db_bind_text(q, 24, b->boot_uuid);
	db_bind_text(q, 25, b->bench);
	bind_num(q, 26, b->seconds);
	db_bind_text(q, 27, b->console);
	bind_opt(q, 28, b->console_bytes);
	bind_opt(q, 29, b->taint_before);
	bind_opt(q, 30, b->taint_after);
	db_bind_int(q, 31, b->imported);
	db_bind_text(q, 32, b->idem_key);
	db_bind_text(q, 33, b->content_hash);
	db_bind_int(q, 34, b->created_ms);
	db_bind_text(q, 35, b->profile);
	db_bind_text(q, 36, b->traits_id);
	return db_run_int(q, id, w);
}

static enum err add_fault(struct db *db, int64_t boot, size_t pos, const struct boot_fault *f,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO boot_fault (boot_id, pos, line, kind, function, text, fatal)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

	db_bind_int(q, 1, boot);
	db_bind_int(q, 2, (int64_t)pos);
	db_bind_int(q, 3, f->line);
	db_bind_text(q, 4, f->kind);
	db_bind_text(q, 5, f->function);
	db_bind_text(q, 6, f->text);
	db_bind_int(q, 7, f->fatal);
	return db_run(q, w);
}

static enum err add_run(struct db *db, int64_t boot, const struct run_row *r, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO run (boot_id, case_id, number, state, why, warmup, batch,"
	            " empty_window, count, samples, evidence, windows)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");

	db_bind_int(q, 1, boot);
	db_bind_int(q, 2, r->case_id);
	db_bind_int(q, 3, r->number);
	db_bind_text(q, 4, r->state);
	db_bind_text(q, 5, r->why);
	db_bind_int(q, 6, r->warmup);
	bind_opt(q, 7, r->batch);
	bind_opt(q, 8, r->empty_window);
	db_bind_int(q, 9, r->count);
	if (r->samples)
		db_bind_blob(q, 10, r->samples, r->samples_len);
	else
		db_bind_null(q, 10);
	db_bind_text(q, 11, r->evidence);
	db_bind_int(q, 12, r->windows > 1 ? r->windows : 1);
	return db_run(q, w);
}

enum err store_stat_add(struct db *db, int64_t boot, const struct run_row *r, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO run_stat (boot_id, case_id, number, median, mean, sd, iterations)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

	db_bind_int(q, 1, boot);
	db_bind_int(q, 2, r->case_id);
	db_bind_int(q, 3, r->number);
	db_bind_real(q, 4, r->median);
	db_bind_real(q, 5, r->mean);
	bind_num(q, 6, r->sd);
	db_bind_int(q, 7, r->iterations);
	return db_run(q, w);
}

enum err store_stat_clear(struct db *db, struct why *w)
{
	return db_run(db_prepare(db, "DELETE FROM run_stat"), w);
}

enum err store_boot_add(struct db *db, const struct boot *b, int64_t *id, struct why *w)
{
	enum err e = b->env ? add_env(db, b->env_id, b->env, w) : OK;
	size_t i;

	if (e == OK && b->traits)
		e = add_env(db, b->traits_id, b->traits, w);
	if (e == OK)
		e = add_row(db, b, id, w);
	for (i = 0; e == OK && i < b->faults; i++)
		e = add_fault(db, *id, i, &b->fault[i], w);
	for (i = 0; e == OK && i < b->runs.count; i++) {
		struct run_row r = b->runs.at[i];

		if (r.case_text)
			e = store_case_id(db, r.case_text, &r.case_id, w);
		if (e == OK)
			e = add_run(db, *id, &r, w);
		if (e == OK && r.iterations > 0)
			e = store_stat_add(db, *id, &r, w);
	}
	if (e == OK && b->raw) {
		struct db_stmt *q =
		        db_prepare(db, "INSERT INTO boot_raw (boot_id, result) VALUES (?1, ?2)");

		db_bind_int(q, 1, *id);
		db_bind_blob(q, 2, b->raw, b->raw_len);
		e = db_run(q, w);
	}
	return e;
}

enum err store_boot_link(struct db *db, int64_t submission, int64_t boot, bool reused,
                         struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO submission_boot (submission_id, boot_id, reused)"
	                       " VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING");

	db_bind_int(q, 1, submission);
	db_bind_int(q, 2, boot);
	db_bind_int(q, 3, reused);
	return db_run(q, w);
}

enum err store_boot_unlink(struct db *db, int64_t submission, int64_t job, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "DELETE FROM submission_boot WHERE submission_id = ?1 AND boot_id IN"
	                       " (SELECT id FROM boot WHERE job_id = ?2)");

	db_bind_int(q, 1, submission);
	db_bind_int(q, 2, job);
	return db_run(q, w);
}

#define BOOT_COLUMNS                                                                          \
	"b.id, b.job_id, b.attempt, b.submission_id, b.kernel_id, b.board, b.board_identity," \
	" b.env_id, b.purpose, b.baseline, b.plan_sha256, b.memory_bytes, b.phase,"           \
	" b.phase_pages, b.replicate, b.valid, b.why, b.class, b.reached, b.metric, b.unit,"  \
	" b.better, b.nonce, b.build_id, b.boot_uuid, b.bench, b.seconds, b.console,"         \
	" b.console_bytes, b.taint_before, b.taint_after, b.imported, b.created_ms,"          \
	" b.profile, b.traits_id"

static void boot_row(struct db_stmt *q, struct pool *p, struct boot *b)
{
	b->id = db_int(q, 0);
	b->job = opt_int(q, 1);
	b->attempt = db_int(q, 2);
	b->submission = opt_int(q, 3);
	b->kernel = db_int(q, 4);
	b->board = col_str(q, 5, p);
	b->board_identity = col_str(q, 6, p);
	b->env_id = col_str(q, 7, p);
	b->purpose = col_str(q, 8, p);
	b->baseline = db_int(q, 9) != 0;
	b->plan_sha256 = col_str(q, 10, p);
	b->memory_bytes = db_int(q, 11);
	b->phase = opt_int(q, 12);
	b->phase_pages = opt_int(q, 13);
	b->replicate = db_int(q, 14);
	b->valid = db_int(q, 15) != 0;
	b->why = col_str(q, 16, p);
	b->class = col_str(q, 17, p);
	b->reached = col_str(q, 18, p);
	b->metric = col_str(q, 19, p);
	b->unit = col_str(q, 20, p);
	b->better = col_str(q, 21, p);
	b->nonce = col_str(q, 22, p);
	b->build_id = col_str(q, 23, p);
	b->boot_uuid = col_str(q, 24, p);
	b->bench = col_str(q, 25, p);
	b->seconds = opt_num(q, 26);
	b->console = col_str(q, 27, p);
	b->console_bytes = opt_int(q, 28);
	b->taint_before = opt_int(q, 29);
	b->taint_after = opt_int(q, 30);
	b->imported = db_int(q, 31) != 0;
	b->created_ms = db_int(q, 32);
	b->profile = col_str(q, 33, p);
	b->traits_id = col_str(q, 34, p);
}

enum err store_boot_get(struct db *db, int64_t id, struct pool *p, struct boot *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT " BOOT_COLUMNS " FROM boot b WHERE b.id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		boot_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no boot %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_boot_of_sub(struct db *db, int64_t submission, struct pool *p, struct boot_list *out,
                           struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT " BOOT_COLUMNS ", v.why FROM submission_boot s"
	                       " JOIN boot b ON b.id = s.boot_id LEFT JOIN boot_void v"
	                       " ON v.submission_id = s.submission_id AND v.boot_id = s.boot_id"
	                       " WHERE s.submission_id = ?1 ORDER BY s.boot_id");
	enum err e;

	db_bind_int(q, 1, submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct boot *b = pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		boot_row(q, p, b);
		b->void_why = col_str(q, 35, p);
	}
	db_done(q);
	return e;
}

static enum err first_id(struct db_stmt *q, int64_t *id, struct why *w)
{
	enum err e = db_step(q, w);

	*id = e == OK && db_has_row(q) ? opt_int(q, 0) : NONE;
	db_done(q);
	return e;
}

enum err store_boot_of_job(struct db *db, int64_t job, int64_t *id, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT id FROM boot WHERE job_id = ?1 ORDER BY id DESC LIMIT 1");

	db_bind_int(q, 1, job);
	return first_id(q, id, w);
}

enum err store_boot_valid_count(struct db *db, int64_t submission, int64_t kernel,
                                const char *board, int64_t *count, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT count(*) FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
	            " WHERE s.submission_id = ?1 AND b.kernel_id = ?2 AND b.board = ?3"
	            " AND b.valid = 1");

	db_bind_int(q, 1, submission);
	db_bind_int(q, 2, kernel);
	db_bind_text(q, 3, board);
	return db_run_int(q, count, w);
}

enum err store_boot_reused_count(struct db *db, int64_t submission, int64_t *count, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT count(*) FROM submission_boot"
	                                   " WHERE submission_id = ?1 AND reused = 1");

	db_bind_int(q, 1, submission);
	return db_run_int(q, count, w);
}

enum err store_boot_reusable(struct db *db, const struct boot_want *want, int64_t *id,
                             struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT b.id FROM boot b WHERE b.kernel_id = ?1 AND b.board = ?2"
	            " AND b.phase = ?6 AND b.replicate = ?7 AND b.board_identity = ?3"
	            " AND b.plan_sha256 = ?4 AND b.memory_bytes = ?5 AND b.valid = 1"
	            " AND b.purpose = 'work' AND b.imported = 0"
	            " AND b.bench = coalesce(?8, (SELECT n.bench FROM boot n WHERE n.board = ?2"
	            " AND n.bench IS NOT NULL ORDER BY n.id DESC LIMIT 1))"
	            " AND b.env_id = (SELECT n.env_id FROM boot n WHERE n.board = ?2"
	            " AND n.memory_bytes = ?5 AND n.env_id IS NOT NULL AND n.valid = 1"
	            " ORDER BY n.id DESC LIMIT 1)"
	            " AND NOT EXISTS (SELECT 1 FROM boot_void v WHERE v.boot_id = b.id)"
	            " ORDER BY b.id DESC LIMIT 1");

	db_bind_int(q, 1, want->kernel);
	db_bind_text(q, 2, want->board);
	db_bind_text(q, 3, want->board_identity);
	db_bind_text(q, 4, want->plan_sha256);
	db_bind_int(q, 5, want->memory_bytes);
	db_bind_int(q, 6, want->phase);
	db_bind_int(q, 7, want->replicate);
	db_bind_text(q, 8, want->bench);
	return first_id(q, id, w);
}

enum err store_boot_by_key(struct db *db, const char *key, struct pool *p, int64_t *id,
                           const char **content_hash, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT id, content_hash FROM boot WHERE idem_key = ?1");
	enum err e;

	*id = NONE;
	db_bind_text(q, 1, key);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		*id = db_int(q, 0);
		*content_hash = col_str(q, 1, p);
	}
	db_done(q);
	return e;
}
