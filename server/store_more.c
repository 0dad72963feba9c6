/* store_more.c - SQL for boots that are added. */
#include "server/store_more.h"

enum err store_more_laid(struct db *db, int64_t sub, const char *board, int64_t *count,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT coalesce(max(t.phase), -1) + 1 FROM (SELECT j.phase FROM job j"
	            " WHERE j.submission_id = ?1 AND j.board = ?2 AND j.purpose = 'work'"
	            " UNION ALL SELECT b.phase FROM submission_boot s JOIN boot b"
	            " ON b.id = s.boot_id WHERE s.submission_id = ?1 AND b.board = ?2) t");

	db_bind_int(q, 1, sub);
	db_bind_text(q, 2, board);
	return db_run_int(q, count, w);
}

enum err store_more_add(struct db *db, int64_t sub, const char *board, int64_t first, int64_t boots,
                        const char *by, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO submission_more (submission_id, board,"
	                                   " first, boots, by_whom, at_ms)"
	                                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

	db_bind_int(q, 1, sub);
	db_bind_text(q, 2, board);
	db_bind_int(q, 3, first);
	db_bind_int(q, 4, boots);
	db_bind_text(q, 5, by);
	db_bind_int(q, 6, now_ms);
	return db_run(q, w);
}

enum err store_more_boots(struct db *db, int64_t sub, const char *board, int64_t *boots,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT coalesce(sum(boots), 0) FROM submission_more"
	                                   " WHERE submission_id = ?1"
	                                   " AND (?2 IS NULL OR board = ?2)");

	db_bind_int(q, 1, sub);
	db_bind_text(q, 2, board);
	return db_run_int(q, boots, w);
}

enum err store_more_reopen(struct db *db, int64_t sub, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE submission SET state = 'booting', why = NULL,"
	                                   " ended_ms = NULL WHERE id = ?1 AND state = 'done'");
	enum err e;

	db_bind_int(q, 1, sub);
	e = db_run(q, w);
	if (e != OK)
		return e;
	/* What is stored says that it is complete: it is computed anew. */
	q = db_prepare(
	        db, "UPDATE comparison SET complete = 0, last_known = -1 WHERE submission_id = ?1");
	db_bind_int(q, 1, sub);
	return db_run(q, w);
}

enum err store_more_part(struct db *db, int64_t sub, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "UPDATE comparison SET last_known = -1 WHERE submission_id = ?1");

	db_bind_int(q, 1, sub);
	return db_run(q, w);
}

enum err store_more_parts(struct db *db, int64_t sub, struct pool *p, struct parts *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT s.id, (SELECT count(*) FROM submission_case c"
	                                   " WHERE c.submission_id = s.id) FROM submission s"
	                                   " WHERE s.part_of = ?1 ORDER BY s.id");
	enum err e;

	db_bind_int(q, 1, sub);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct part *x = pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		x->id = db_int(q, 0);
		x->cases = db_int(q, 1);
	}
	db_done(q);
	return e;
}

enum err store_more_at(struct db *db, int64_t sub, int64_t *at_ms, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT max(at_ms) FROM submission_more WHERE submission_id = ?1");
	enum err e;

	db_bind_int(q, 1, sub);
	e = db_step(q, w);
	*at_ms = e == OK && db_has_row(q) ? opt_int(q, 0) : NONE;
	db_done(q);
	return e;
}
