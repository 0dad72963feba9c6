/* store_fault.c - SQL for places of faults and known faults. */
#include "server/store_fault.h"

#include <string.h>

/* As many faults as an agent reports at most: where there are so many, others may
 * have been left out. */
#define FAULTS_TOLD "200"

/* Measured to its end, its result read, and nothing that a kernel does not survive:
 * a boot `b` that known faults may excuse. Taint 176: M (4), B (5), D (7). */
#define RAN_TO_THE_END                                                                  \
	" b.valid = 0 AND (b.class IS NULL OR b.class = 'kernel')"                      \
	" AND (b.reached IS NULL OR b.reached = 'measured')"                            \
	" AND ((coalesce(b.taint_before, 0) | coalesce(b.taint_after, 0)) & 176) = 0"   \
	" AND EXISTS (SELECT 1 FROM run r WHERE r.boot_id = b.id)"                      \
	" AND NOT EXISTS (SELECT 1 FROM boot_raw x WHERE x.boot_id = b.id)"             \
	" AND (SELECT count(*) FROM boot_fault c WHERE c.boot_id = b.id) BETWEEN 1 AND" \
	" " FAULTS_TOLD " - 1"                                                          \
	" AND NOT EXISTS (SELECT 1 FROM boot_fault d WHERE d.boot_id = b.id AND d.fatal <> 0)"

/* ---- places */

static enum err add_place(struct db *db, int64_t boot, size_t pos, const struct fault_row *r,
                          struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO boot_place (boot_id, pos, function, file, place,"
	                       " signature, decoded, never, why)"
	                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");

	db_bind_int(q, 1, boot);
	db_bind_int(q, 2, (int64_t)pos);
	db_bind_text(q, 3, r->function);
	db_bind_text(q, 4, r->file);
	db_bind_text(q, 5, r->place);
	db_bind_text(q, 6, r->signature);
	db_bind_int(q, 7, r->decoded);
	db_bind_text(q, 8, r->never);
	db_bind_text(q, 9, r->why);
	return db_run(q, w);
}

enum err store_place_save(struct db *db, int64_t boot, const struct fault_rows *rows, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "DELETE FROM boot_place WHERE boot_id = ?1");
	size_t i;
	enum err e;

	db_bind_int(q, 1, boot);
	e = db_run(q, w);
	for (i = 0; e == OK && i < rows->count; i++)
		e = add_place(db, boot, i, &rows->at[i], w);
	return e;
}

enum err store_place_of_boot(struct db *db, int64_t boot, struct pool *p, struct fault_rows *out,
                             struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT function, file, place, signature, decoded, never, why"
	                       " FROM boot_place WHERE boot_id = ?1 ORDER BY pos");
	enum err e;

	db_bind_int(q, 1, boot);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct fault_row *r =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		r->function = col_str(q, 0, p);
		r->file = col_str(q, 1, p);
		r->place = col_str(q, 2, p);
		r->signature = col_str(q, 3, p);
		r->decoded = db_int(q, 4) != 0;
		r->never = col_str(q, 5, p);
		r->why = col_str(q, 6, p);
	}
	db_done(q);
	return e;
}

enum err store_place_clear(struct db *db, struct why *w)
{
	return db_run(db_prepare(db, "DELETE FROM boot_place"), w);
}

enum err store_place_missing(struct db *db, int64_t submission, int64_t after, struct pool *p,
                             struct ids *out, struct why *w)
{
	struct db_stmt *q =
	        submission == NONE
	                ? db_prepare(db, "SELECT DISTINCT f.boot_id FROM boot_fault f"
	                                 " WHERE f.boot_id > ?1 AND NOT EXISTS (SELECT 1 FROM"
	                                 " boot_place x WHERE x.boot_id = f.boot_id)"
	                                 " ORDER BY f.boot_id")
	                : db_prepare(db, "SELECT DISTINCT f.boot_id FROM submission_boot s"
	                                 " JOIN boot_fault f ON f.boot_id = s.boot_id"
	                                 " WHERE s.submission_id = ?2 AND f.boot_id > ?1"
	                                 " AND NOT EXISTS (SELECT 1 FROM boot_place x"
	                                 " WHERE x.boot_id = f.boot_id) ORDER BY f.boot_id");

	db_bind_int(q, 1, after);
	if (submission != NONE)
		db_bind_int(q, 2, submission);
	return read_ids(q, p, out, w);
}

enum err store_place_newest(struct db *db, int64_t *boot, struct why *w)
{
	return db_run_int(db_prepare(db, "SELECT coalesce(max(boot_id), 0) FROM boot_fault"), boot,
	                  w);
}

enum err store_place_seen(struct db *db, int64_t limit, struct pool *p, struct seen_faults *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT x.signature, x.place, x.never, b.board, count(DISTINCT x.boot_id),"
	            " max(x.boot_id) FROM boot_place x JOIN boot b ON b.id = x.boot_id"
	            " GROUP BY x.signature ORDER BY max(x.boot_id) DESC, x.signature LIMIT ?1");
	enum err e;

	db_bind_int(q, 1, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct seen_fault *s =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		s->signature = col_str(q, 0, p);
		s->place = col_str(q, 1, p);
		s->never = col_str(q, 2, p);
		s->board = col_str(q, 3, p);
		s->boots = db_int(q, 4);
		s->last_boot = db_int(q, 5);
	}
	db_done(q);
	return e;
}

enum err store_place_never(struct db *db, const char *signature, struct pool *p, const char **never,
                           struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT never FROM boot_place WHERE signature = ?1"
	                       " AND never IS NOT NULL ORDER BY boot_id DESC, pos LIMIT 1");
	enum err e;

	*never = NULL;
	db_bind_text(q, 1, signature);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*never = col_str(q, 0, p);
	db_done(q);
	return e;
}

static enum err read_signatures(struct db_stmt *q, struct pool *p, struct boot_signatures *out,
                                struct why *w)
{
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct boot_signature *s =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		s->boot = db_int(q, 0);
		s->signature = col_str(q, 1, p);
	}
	db_done(q);
	return e;
}

enum err store_place_first(struct db *db, int64_t submission, struct pool *p,
                           struct boot_signatures *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT s.boot_id, x.signature FROM submission_boot s JOIN boot_place x"
	            " ON x.boot_id = s.boot_id AND x.pos = 0"
	            " WHERE s.submission_id = ?1 ORDER BY s.boot_id");

	db_bind_int(q, 1, submission);
	return read_signatures(q, p, out, w);
}

enum err store_place_of_jobs(struct db *db, int64_t submission, struct pool *p,
                             struct boot_signatures *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT b.job_id, x.signature FROM submission_boot s JOIN boot b"
	            " ON b.id = s.boot_id JOIN boot_place x ON x.boot_id = b.id AND x.pos = 0"
	            " WHERE s.submission_id = ?1 AND b.job_id IS NOT NULL ORDER BY b.id");

	db_bind_int(q, 1, submission);
	return read_signatures(q, p, out, w);
}

enum err store_place_forgivable(struct db *db, int64_t submission, struct pool *p,
                                struct boot_signatures *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT DISTINCT b.id, x.signature FROM submission_boot s"
	            " JOIN boot b ON b.id = s.boot_id JOIN boot_place x ON x.boot_id = b.id"
	            " WHERE s.submission_id = ?1 AND" RAN_TO_THE_END
	            " AND NOT EXISTS (SELECT 1 FROM boot_place n WHERE n.boot_id = b.id"
	            " AND n.never IS NOT NULL) ORDER BY b.id, x.signature");

	db_bind_int(q, 1, submission);
	return read_signatures(q, p, out, w);
}

/* ---- known faults */

#define KNOWN                                                                                   \
	"SELECT k.id, k.signature, k.board, k.branch, k.why, k.by_whom, k.until_ms, k.at_ms,"   \
	" e.id, e.at_ms, e.by_whom FROM known_fault k LEFT JOIN known_fault e ON e.ends = k.id" \
	" WHERE k.ends IS NULL"

static void known_row(struct db_stmt *q, struct pool *p, struct known_fault *k)
{
	k->id = db_int(q, 0);
	k->signature = col_str(q, 1, p);
	k->board = col_str(q, 2, p);
	k->branch = col_str(q, 3, p);
	k->why = col_str(q, 4, p);
	k->by = col_str(q, 5, p);
	k->until_ms = db_int(q, 6);
	k->at_ms = db_int(q, 7);
	k->ended_id = opt_int(q, 8);
	k->ended_ms = opt_int(q, 9);
	k->ended_by = col_str(q, 10, p);
}

/* In the transaction of the fact, so that no crash comes between. */
static enum err outdate(struct db *db, const char *signature, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "UPDATE comparison SET last_known = -1 WHERE submission_id IN"
	                       " (SELECT s.submission_id FROM boot_place x JOIN submission_boot s"
	                       " ON s.boot_id = x.boot_id WHERE x.signature = ?1)");

	db_bind_text(q, 1, signature);
	return db_run(q, w);
}

static enum err add_row(struct db *db, const struct known_fault *k, int64_t ends, int64_t *id,
                        struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO known_fault (ends, signature, board, branch, why, until_ms,"
	            " by_whom, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id");
	enum err e;

	bind_opt(q, 1, ends);
	db_bind_text(q, 2, k->signature);
	db_bind_text(q, 3, k->board);
	db_bind_text(q, 4, k->branch);
	db_bind_text(q, 5, k->why);
	bind_opt(q, 6, k->until_ms);
	db_bind_text(q, 7, k->by);
	db_bind_int(q, 8, k->at_ms);
	e = db_run_int(q, id, w);
	return e == OK ? outdate(db, k->signature, w) : e;
}

enum err store_known_add(struct db *db, const struct known_fault *k, int64_t *id, struct why *w)
{
	return add_row(db, k, NONE, id, w);
}

enum err store_known_end(struct db *db, int64_t id, const char *by, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct known_fault k = {.ended_id = NONE};
	int64_t row;
	enum err e = store_known_get(db, id, p, &k, w);

	if (e == OK && k.ended_id != NONE)
		e = err_set(w, ERR_CONFLICT, "known fault %lld was ended already", (long long)id);
	if (e == OK) {
		struct known_fault end = {
		        .signature = k.signature, .by = by, .at_ms = now_ms, .until_ms = NONE};

		e = add_row(db, &end, id, &row, w);
	}
	pool_free(p);
	return e;
}

enum err store_known_get(struct db *db, int64_t id, struct pool *p, struct known_fault *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(db, KNOWN " AND k.id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		known_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no known fault %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_known_list(struct db *db, const char *signature, struct pool *p,
                          struct known_faults *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, KNOWN " AND (?1 IS NULL OR k.signature = ?1) ORDER BY k.id");
	enum err e;

	db_bind_text(q, 1, signature);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		known_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_known_newest(struct db *db, int64_t submission, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT coalesce(max(k.id), 0) FROM submission_boot s JOIN boot_place x"
	            " ON x.boot_id = s.boot_id JOIN known_fault k ON k.signature = x.signature"
	            " WHERE s.submission_id = ?1");

	db_bind_int(q, 1, submission);
	return db_run_int(q, id, w);
}

enum err store_known_recheck(struct db *db, int64_t submission, struct why *w)
{
	int64_t newest;
	struct db_stmt *q;
	enum err e = store_known_newest(db, submission, &newest, w);

	if (e != OK)
		return e;
	q = db_prepare(db, "UPDATE comparison SET last_known = -1 WHERE submission_id = ?1"
	                   " AND last_known <> ?2");
	db_bind_int(q, 1, submission);
	db_bind_int(q, 2, newest);
	return db_run(q, w);
}

enum err store_known_may_count(struct db *db, int64_t submission, int64_t kernel, const char *board,
                               int64_t now_ms, int64_t *count, struct why *w)
{
	/* By kind alone: decoding is not done while an agent waits for its answer. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT count(DISTINCT j.id) FROM job j JOIN boot b ON b.job_id = j.id"
	            " WHERE j.submission_id = ?1 AND j.kernel_id = ?2 AND j.kind = 'boot'"
	            " AND j.board = ?3 AND j.purpose = 'work' AND j.state = 'failed'"
	            " AND j.class = 'kernel' AND" RAN_TO_THE_END
	            " AND NOT EXISTS (SELECT 1 FROM boot_fault f WHERE f.boot_id = b.id AND NOT"
	            " EXISTS (SELECT 1 FROM known_fault k WHERE k.ends IS NULL AND k.until_ms > ?4"
	            " AND substr(k.signature, 1, length(f.kind) + 1) = f.kind || ':'"
	            " AND NOT EXISTS (SELECT 1 FROM known_fault e WHERE e.ends = k.id)))");

	db_bind_int(q, 1, submission);
	db_bind_int(q, 2, kernel);
	db_bind_text(q, 3, board);
	db_bind_int(q, 4, now_ms);
	return db_run_int(q, count, w);
}
