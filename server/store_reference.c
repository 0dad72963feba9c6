/* store_reference.c - SQL for the reference and its nights. */
#include "server/store_reference.h"

#define REFERENCE                                                                   \
	"SELECT id, board, kernel, cases, hour, by_whom, at_ms, ended_ms, ended_by" \
	" FROM reference WHERE "

static void read_one(struct db_stmt *q, struct pool *p, struct reference *r)
{
	*r = (struct reference){.id = db_int(q, 0),
	                        .board = col_str(q, 1, p),
	                        .kernel = col_str(q, 2, p),
	                        .cases = col_str(q, 3, p),
	                        .hour = db_int(q, 4),
	                        .by = col_str(q, 5, p),
	                        .at_ms = db_int(q, 6),
	                        .ended_ms = opt_int(q, 7),
	                        .ended_by = col_str(q, 8, p)};
}

static enum err end(struct db *db, const char *board, const char *by, int64_t now_ms, int64_t *id,
                    struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "UPDATE reference SET ended_ms = ?3, ended_by = ?2"
	                       " WHERE ended_ms IS NULL AND coalesce(board, '') = ?1 RETURNING id");
	enum err e;

	*id = NONE;
	db_bind_text(q, 1, board ? board : "");
	db_bind_text(q, 2, by);
	db_bind_int(q, 3, now_ms);
	e = db_run_int(q, id, w);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err store_reference_set(struct db *db, const struct reference *r, int64_t *id, struct why *w)
{
	struct db_stmt *q;
	enum err e = end(db, r->board, r->by, r->at_ms, id, w);

	if (e != OK)
		return e;
	q = db_prepare(db, "INSERT INTO reference (board, kernel, cases, hour, by_whom, at_ms)"
	                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id");
	db_bind_text(q, 1, r->board);
	db_bind_text(q, 2, r->kernel);
	db_bind_text(q, 3, r->cases);
	db_bind_int(q, 4, r->hour);
	db_bind_text(q, 5, r->by);
	db_bind_int(q, 6, r->at_ms);
	return db_run_int(q, id, w);
}

static enum err get(struct db *db, int64_t id, struct pool *p, struct reference *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, REFERENCE "id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && !db_has_row(q))
		e = err_set(w, ERR_NOT_FOUND, "there is no reference %lld", (long long)id);
	if (e == OK)
		read_one(q, p, out);
	db_done(q);
	return e;
}

enum err store_reference_end(struct db *db, const char *board, const char *by, int64_t now_ms,
                             struct pool *p, struct reference *out, struct why *w)
{
	int64_t id;
	enum err e = end(db, board, by, now_ms, &id, w);

	if (e == OK && id == NONE)
		e = board ? err_set(w, ERR_NOT_FOUND, "there is no reference for boards \"%s\"",
		                    board)
		          : err_set(w, ERR_NOT_FOUND, "there is no reference for all boards");
	return e == OK ? get(db, id, p, out, w) : e;
}

enum err store_reference_list(struct db *db, struct pool *p, struct references *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, REFERENCE "ended_ms IS NULL ORDER BY id");
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		read_one(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_night_put(struct db *db, const struct reference_night *n, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO reference_night (board, night_ms, reference_id, identity,"
	            " submission_id, why, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	            " ON CONFLICT (board, night_ms) DO UPDATE SET submission_id = ?5, why = ?6,"
	            " at_ms = ?7, reference_id = ?3, identity = ?4"
	            " WHERE reference_night.submission_id IS NULL");

	db_bind_text(q, 1, n->board);
	db_bind_int(q, 2, n->night_ms);
	db_bind_int(q, 3, n->reference);
	db_bind_text(q, 4, n->identity);
	bind_opt(q, 5, n->submission);
	db_bind_text(q, 6, n->why);
	db_bind_int(q, 7, n->at_ms);
	return db_run(q, w);
}

enum err store_night_list(struct db *db, const char *board, int64_t limit, struct pool *p,
                          struct reference_nights *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "SELECT n.board, n.night_ms, n.reference_id, n.identity, n.submission_id, n.why,"
	        " n.at_ms, s.state FROM reference_night n LEFT JOIN submission s"
	        " ON s.id = n.submission_id WHERE n.board = ?1 ORDER BY n.night_ms DESC"
	        " LIMIT ?2");
	enum err e;

	db_bind_text(q, 1, board);
	db_bind_int(q, 2, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct reference_night *)pool_push(p, (void **)&out->at, &out->count,
		                                     sizeof(*out->at)) =
		        (struct reference_night){.board = col_str(q, 0, p),
		                                 .night_ms = db_int(q, 1),
		                                 .reference = db_int(q, 2),
		                                 .identity = col_str(q, 3, p),
		                                 .submission = opt_int(q, 4),
		                                 .why = col_str(q, 5, p),
		                                 .at_ms = db_int(q, 6),
		                                 .state = col_str(q, 7, p)};
	db_done(q);
	return e;
}

#define NUMBERS                                                                        \
	"SELECT n.reference_id, c.mean FROM reference_night n JOIN cell c"             \
	" ON c.submission_id = n.submission_id AND c.board = n.board"                  \
	" WHERE n.board = ?1 AND c.env_id = ?2 AND c.case_text = ?3 AND c.metric = ?4" \
	" AND c.mean IS NOT NULL ORDER BY n.night_ms"

enum err store_reference_numbers(struct db *db, const char *board, const char *env_id,
                                 const char *case_text, const char *metric, bool newest,
                                 int64_t most, struct pool *p, struct reference_numbers *out,
                                 struct why *w)
{
	struct db_stmt *q = newest ? db_prepare(db, NUMBERS " DESC LIMIT ?5")
	                           : db_prepare(db, NUMBERS " LIMIT ?5");
	enum err e;

	db_bind_text(q, 1, board);
	db_bind_text(q, 2, env_id);
	db_bind_text(q, 3, case_text);
	db_bind_text(q, 4, metric);
	db_bind_int(q, 5, most);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct reference_number *)pool_push(p, (void **)&out->at, &out->count,
		                                      sizeof(*out->at)) =
		        (struct reference_number){db_int(q, 0), db_real(q, 1)};
	db_done(q);
	return e;
}
