/* store_run.c - SQL for what hangs on a boot: runs, samples, faults, environment. */
#include "server/store_boot.h"

enum err store_boot_env(struct db *db, const char *env_id, struct pool *p, const char **body,
                        struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT body FROM environment WHERE env_id = ?1");
	enum err e;

	*body = NULL;
	db_bind_text(q, 1, env_id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*body = col_str(q, 0, p);
	db_done(q);
	return e;
}

enum err store_boot_faults(struct db *db, struct pool *p, struct boot *b, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT f.line, f.kind, f.function, f.text, f.fatal, x.signature, x.file,"
	            " x.place, x.never, x.why, x.decoded FROM boot_fault f LEFT JOIN boot_place x"
	            " ON x.boot_id = f.boot_id AND x.pos = f.pos WHERE f.boot_id = ?1"
	            " ORDER BY f.pos");
	enum err e;

	db_bind_int(q, 1, b->id);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct boot_fault *f =
		        pool_push(p, (void **)&b->fault, &b->faults, sizeof(*b->fault));

		f->line = db_int(q, 0);
		f->kind = col_str(q, 1, p);
		f->function = col_str(q, 2, p);
		f->text = col_str(q, 3, p);
		f->fatal = db_int(q, 4) != 0;
		f->signature = col_str(q, 5, p);
		f->file = col_str(q, 6, p);
		f->place = col_str(q, 7, p);
		f->never = col_str(q, 8, p);
		f->undecoded = col_str(q, 9, p);
		f->decoded = !db_is_null(q, 10) && db_int(q, 10);
	}
	db_done(q);
	return e;
}

enum err store_boot_runs(struct db *db, struct pool *p, struct boot *b, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT r.case_id, c.text, r.number, r.state, r.why, r.warmup, r.batch,"
	            " r.empty_window, r.count, r.evidence, s.median, s.mean, s.sd, s.iterations,"
	            " r.windows FROM run r JOIN bench_case c ON c.id = r.case_id"
	            " LEFT JOIN run_stat s ON s.boot_id = r.boot_id AND s.case_id = r.case_id"
	            " AND s.number = r.number WHERE r.boot_id = ?1 ORDER BY r.case_id, r.number");
	enum err e;

	db_bind_int(q, 1, b->id);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct run_row *r =
		        pool_push(p, (void **)&b->runs.at, &b->runs.count, sizeof(*b->runs.at));

		r->case_id = db_int(q, 0);
		r->case_text = col_str(q, 1, p);
		r->number = db_int(q, 2);
		r->state = col_str(q, 3, p);
		r->why = col_str(q, 4, p);
		r->warmup = db_int(q, 5);
		r->batch = opt_int(q, 6);
		r->empty_window = opt_int(q, 7);
		r->count = db_int(q, 8);
		r->evidence = col_str(q, 9, p);
		r->median = opt_num(q, 10);
		r->mean = opt_num(q, 11);
		r->sd = opt_num(q, 12);
		r->iterations = db_is_null(q, 13) ? 0 : db_int(q, 13);
		r->windows = db_int(q, 14);
	}
	db_done(q);
	return e;
}

static const void *blob(struct db_stmt *q, int col, struct pool *p, size_t *len)
{
	const void *at = db_blob(q, col, len);

	return at ? pool_copy(p, at, *len) : NULL;
}

/* Runs of ?1 against ?2. Called both ways round, for runs that only one has. */
#define DIFFERENT                                                                    \
	"SELECT c.text, a.number, a.state, b.state, a.samples, b.samples FROM run a" \
	" JOIN bench_case c ON c.id = a.case_id LEFT JOIN run b ON b.boot_id = ?2"   \
	" AND b.case_id = a.case_id AND b.number = a.number WHERE a.boot_id = ?1"

static enum err differing(struct db *db, const char *sql, int64_t a, int64_t b, bool turned,
                          struct pool *p, struct run_pairs *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, sql);
	enum err e;

	db_bind_int(q, 1, a);
	db_bind_int(q, 2, b);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct run_pair *d = pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		d->case_text = col_str(q, 0, p);
		d->number = db_int(q, 1);
		if (turned) {
			d->state_b = col_str(q, 2, p);
			continue;
		}
		d->state_a = col_str(q, 2, p);
		d->state_b = col_str(q, 3, p);
		d->a = blob(q, 4, p, &d->a_len);
		d->b = blob(q, 5, p, &d->b_len);
	}
	db_done(q);
	return e;
}

enum err store_boot_differences(struct db *db, int64_t a, int64_t b, struct pool *p,
                                struct run_pairs *out, struct why *w)
{
	enum err e = differing(db,
	                       DIFFERENT " AND (b.boot_id IS NULL OR a.state <> b.state"
	                                 " OR a.samples <> b.samples)"
	                                 " ORDER BY a.case_id, a.number",
	                       a, b, false, p, out, w);

	if (e == OK)
		e = differing(db, DIFFERENT " AND b.boot_id IS NULL ORDER BY a.case_id, a.number",
		              b, a, true, p, out, w);
	return e;
}

enum err store_stat_of_sub(struct db *db, int64_t submission, struct pool *p, struct stat_rows *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT t.boot_id, t.case_id, t.median, t.mean FROM submission_boot s"
	            " JOIN run_stat t ON t.boot_id = s.boot_id WHERE s.submission_id = ?1"
	            " ORDER BY t.boot_id, t.case_id, t.number");
	enum err e;

	db_bind_int(q, 1, submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct stat_row *r = pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		r->boot = db_int(q, 0);
		r->case_id = db_int(q, 1);
		r->median = db_real(q, 2);
		r->mean = db_real(q, 3);
	}
	db_done(q);
	return e;
}

enum err store_stat_spread(struct db *db, const struct spread_want *want, struct pool *p,
                           struct spread_rows *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "WITH recent AS (SELECT b.id, b.kernel_id FROM boot b WHERE b.board = ?1"
	            " AND b.id <= ?2 AND b.metric = ?3 AND b.valid = 1 AND b.purpose = 'work'"
	            " AND b.imported = 0 AND NOT EXISTS (SELECT 1 FROM submission_kernel k"
	            " WHERE k.submission_id = ?4 AND k.kernel_id = b.kernel_id)"
	            " AND NOT EXISTS (SELECT 1 FROM submission_layout l"
	            " WHERE l.submission_id = ?4 AND l.kernel_id = b.kernel_id)"
	            " ORDER BY b.id DESC LIMIT ?5),"
	            " newest AS (SELECT kernel_id FROM recent GROUP BY kernel_id"
	            " ORDER BY MAX(id) DESC LIMIT ?6)"
	            " SELECT t.case_id, r.kernel_id, AVG(t.median) FROM recent r"
	            " JOIN newest n ON n.kernel_id = r.kernel_id"
	            " JOIN run_stat t ON t.boot_id = r.id"
	            " GROUP BY t.case_id, r.kernel_id, r.id ORDER BY t.case_id, r.kernel_id, r.id");
	enum err e;

	db_bind_text(q, 1, want->board);
	db_bind_int(q, 2, want->newest);
	db_bind_text(q, 3, want->metric);
	db_bind_int(q, 4, want->submission);
	db_bind_int(q, 5, want->boots);
	db_bind_int(q, 6, want->kernels);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct spread_row *r =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		r->case_id = db_int(q, 0);
		r->kernel = db_int(q, 1);
		r->number = db_real(q, 2);
	}
	db_done(q);
	return e;
}

enum err store_run_without_number(struct db *db, int64_t submission, struct pool *p,
                                  struct no_numbers *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT r.boot_id, r.case_id, r.state, r.why FROM submission_boot s"
	            " JOIN run r ON r.boot_id = s.boot_id AND r.state <> 'valid'"
	            " WHERE s.submission_id = ?1 ORDER BY r.boot_id, r.case_id, r.number");
	enum err e;

	db_bind_int(q, 1, submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct no_number *n =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		n->boot = db_int(q, 0);
		n->case_id = db_int(q, 1);
		n->skip = db_text(q, 2)[0] == 's';
		n->why = col_str(q, 3, p);
	}
	db_done(q);
	return e;
}

enum err store_run_samples(struct db *db, int64_t submission, const char *case_text,
                           const char *board, const char *metric, struct pool *p,
                           struct sample_rows *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT b.kernel_id, b.id, b.phase, r.number, b.board, r.state,"
	                       " (b.valid = 1 OR EXISTS (SELECT 1 FROM boot_known n"
	                       " WHERE n.submission_id = s.submission_id AND n.boot_id = b.id))"
	                       " AND v.boot_id IS NULL, r.warmup, r.samples,"
	                       " r.windows FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
	                       " JOIN run r ON r.boot_id = b.id"
	                       " JOIN bench_case c ON c.id = r.case_id AND c.text = ?2"
	                       " LEFT JOIN boot_void v ON v.submission_id = s.submission_id"
	                       " AND v.boot_id = b.id"
	                       " WHERE s.submission_id = ?1 AND (?3 IS NULL OR b.board = ?3)"
	                       " AND (?4 IS NULL OR b.metric = ?4) AND r.samples IS NOT NULL"
	                       " ORDER BY b.board, b.phase, b.id, r.number");
	enum err e;

	db_bind_int(q, 1, submission);
	db_bind_text(q, 2, case_text);
	db_bind_text(q, 3, board);
	db_bind_text(q, 4, metric);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct sample_row *r =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		r->kernel = db_int(q, 0);
		r->boot = db_int(q, 1);
		r->phase = opt_int(q, 2);
		r->number = db_int(q, 3);
		r->board = col_str(q, 4, p);
		r->state = col_str(q, 5, p);
		r->boot_valid = db_int(q, 6) != 0;
		r->warmup = db_int(q, 7);
		r->samples = blob(q, 8, p, &r->samples_len);
		r->windows = db_int(q, 9);
	}
	db_done(q);
	return e;
}

enum err store_run_profiles(struct db *db, int64_t submission, const char *case_text,
                            struct pool *p, struct profile_rows_of *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT b.kernel_id, b.id, b.phase, b.phase_pages, r.number,"
	                       " (SELECT COUNT(*) FROM run o WHERE o.boot_id = r.boot_id"
	                       " AND o.id < r.id), b.board, b.profile, t.mean"
	                       " FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
	                       " JOIN bench_case c ON c.text = ?2"
	                       " JOIN run r ON r.boot_id = b.id AND r.case_id = c.id"
	                       " JOIN run_stat t ON t.boot_id = r.boot_id"
	                       " AND t.case_id = r.case_id AND t.number = r.number"
	                       " WHERE s.submission_id = ?1 AND b.profile IS NOT NULL"
	                       " AND b.valid = 1 ORDER BY b.kernel_id, b.board, b.id, r.number");
	enum err e;

	db_bind_int(q, 1, submission);
	db_bind_text(q, 2, case_text);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct profile_row_of *r =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		r->kernel = db_int(q, 0);
		r->boot = db_int(q, 1);
		r->phase = opt_int(q, 2);
		r->phase_pages = opt_int(q, 3);
		r->number = db_int(q, 4);
		r->at = db_int(q, 5);
		r->board = col_str(q, 6, p);
		r->profile = col_str(q, 7, p);
		r->mean = db_real(q, 8);
	}
	db_done(q);
	return e;
}

enum err store_run_summed(struct db *db, int64_t submission, struct pool *p,
                          struct summed_rows *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT c.text, b.board, MAX(r.windows) FROM submission_boot s"
	                       " JOIN run r ON r.boot_id = s.boot_id AND r.windows > 1"
	                       " JOIN boot b ON b.id = r.boot_id"
	                       " JOIN bench_case c ON c.id = r.case_id"
	                       " WHERE s.submission_id = ?1 AND b.valid = 1"
	                       " GROUP BY c.text, b.board ORDER BY c.text, b.board");
	enum err e;

	db_bind_int(q, 1, submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct summed_row *r =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		r->case_text = col_str(q, 0, p);
		r->board = col_str(q, 1, p);
		r->windows = db_int(q, 2);
	}
	db_done(q);
	return e;
}

enum err store_run_page(struct db *db, int64_t after, int64_t limit, struct pool *p,
                        struct raw_runs *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT id, boot_id, case_id, number, warmup, samples, windows FROM run"
	            " WHERE id > ?1 AND state = 'valid' ORDER BY id LIMIT ?2");
	enum err e;

	db_bind_int(q, 1, after);
	db_bind_int(q, 2, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct raw_run *r = pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		r->id = db_int(q, 0);
		r->boot = db_int(q, 1);
		r->case_id = db_int(q, 2);
		r->number = db_int(q, 3);
		r->warmup = db_int(q, 4);
		r->samples = blob(q, 5, p, &r->samples_len);
		r->windows = db_int(q, 6);
	}
	db_done(q);
	return e;
}
