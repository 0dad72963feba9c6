/* store_track.c - SQL for tracks. */
#include "server/store_track.h"

#include "lib/mem.h"

#define TRACK                                                                           \
	"SELECT id, tree, branch, every_ms, mode, request, config, toolchain, release," \
	" submitter, admin, state, why, blocked, stop_why, stop_by, until_ms, tip,"     \
	" looked_ms, fails, next_ms, wake_ms, walk_id, created_ms, changed_ms FROM track"

static void track_row(struct db_stmt *q, struct pool *p, struct track *t)
{
	*t = (struct track){.id = db_int(q, 0),
	                    .tree = col_str(q, 1, p),
	                    .branch = col_str(q, 2, p),
	                    .every_ms = db_int(q, 3),
	                    .mode = col_str(q, 4, p),
	                    .request = col_str(q, 5, p),
	                    .config = col_str(q, 6, p),
	                    .toolchain = col_str(q, 7, p),
	                    .release = col_str(q, 8, p),
	                    .submitter = col_str(q, 9, p),
	                    .admin = db_int(q, 10) != 0,
	                    .state = col_str(q, 11, p),
	                    .why = col_str(q, 12, p),
	                    .blocked = col_str(q, 13, p),
	                    .stop_why = col_str(q, 14, p),
	                    .stop_by = col_str(q, 15, p),
	                    .until_ms = opt_int(q, 16),
	                    .tip = col_str(q, 17, p),
	                    .looked_ms = opt_int(q, 18),
	                    .fails = db_int(q, 19),
	                    .next_ms = db_int(q, 20),
	                    .wake_ms = db_int(q, 21),
	                    .walk = opt_int(q, 22),
	                    .created_ms = db_int(q, 23),
	                    .changed_ms = db_int(q, 24)};
}

enum err store_track_add(struct db *db, const struct track *t, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO track (tree, branch, every_ms, mode, request, config, toolchain,"
	            " release, submitter, admin, state, next_ms, wake_ms, created_ms, changed_ms)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'active', ?11, ?11, ?11,"
	            " ?11) RETURNING id");

	db_bind_text(q, 1, t->tree);
	db_bind_text(q, 2, t->branch);
	db_bind_int(q, 3, t->every_ms);
	db_bind_text(q, 4, t->mode);
	db_bind_text(q, 5, t->request);
	db_bind_text(q, 6, t->config);
	db_bind_text(q, 7, t->toolchain);
	db_bind_text(q, 8, t->release);
	db_bind_text(q, 9, t->submitter);
	db_bind_int(q, 10, t->admin);
	db_bind_int(q, 11, t->created_ms);
	return db_run_int(q, id, w);
}

enum err store_track_get(struct db *db, int64_t id, struct pool *p, struct track *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(db, TRACK " WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		track_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no track %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_track_list(struct db *db, const char *state, int64_t before, int64_t limit,
                          struct pool *p, struct tracks *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, TRACK " WHERE id < ?1 AND (?2 IS NULL OR state = ?2 OR (?2 = 'open' AND"
	                  " state <> 'ended')) ORDER BY id DESC LIMIT ?3");
	enum err e;

	db_bind_int(q, 1, before);
	db_bind_text(q, 2, state);
	db_bind_int(q, 3, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		track_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_track_same(struct db *db, const struct track *t, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT id FROM track WHERE tree = ?1 AND branch = ?2"
	                                   " AND submitter = ?3 AND state <> 'ended'");

	db_bind_text(q, 1, t->tree);
	db_bind_text(q, 2, t->branch);
	db_bind_text(q, 3, t->submitter);
	return read_id(q, id, w);
}

enum err store_track_due(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT id FROM track WHERE state <> 'ended'"
	                                   " AND wake_ms <= ?1 ORDER BY wake_ms, id");

	db_bind_int(q, 1, now_ms);
	return read_ids(q, p, out, w);
}

enum err store_track_save(struct db *db, const struct track *t, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "UPDATE track SET state = ?2, why = ?3, blocked = ?4, stop_why = ?5,"
	            " stop_by = ?6, until_ms = ?7, tip = ?8, looked_ms = ?9, fails = ?10,"
	            " next_ms = ?11, wake_ms = ?12, walk_id = ?13, changed_ms = ?14 WHERE id = ?1");

	db_bind_int(q, 1, t->id);
	db_bind_text(q, 2, t->state);
	db_bind_text(q, 3, t->why);
	db_bind_text(q, 4, t->blocked);
	db_bind_text(q, 5, t->stop_why);
	db_bind_text(q, 6, t->stop_by);
	bind_opt(q, 7, t->until_ms);
	db_bind_text(q, 8, t->tip);
	bind_opt(q, 9, t->looked_ms);
	db_bind_int(q, 10, t->fails);
	db_bind_int(q, 11, t->next_ms);
	db_bind_int(q, 12, t->wake_ms);
	bind_opt(q, 13, t->walk);
	db_bind_int(q, 14, t->changed_ms);
	return db_run(q, w);
}

enum err store_track_wake_walk(struct db *db, int64_t walk, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE track SET wake_ms = ?2 WHERE walk_id = ?1");

	db_bind_int(q, 1, walk);
	db_bind_int(q, 2, now_ms);
	return db_run(q, w);
}

enum err store_track_wake_sub(struct db *db, int64_t sub, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE track SET wake_ms = ?2 WHERE wake_ms > ?2 AND"
	                                   " id IN (SELECT track_id FROM track_point"
	                                   " WHERE submission_id = ?1)");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, now_ms);
	return db_run(q, w);
}

enum err store_track_of_sub(struct db *db, int64_t sub, struct pool *p, struct track_sub *out,
                            struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT track_id, CASE kind WHEN 'base' THEN commit_id END FROM track_point"
	            " WHERE submission_id = ?1");
	enum err e;

	*out = (struct track_sub){.track = NONE};
	db_bind_int(q, 1, sub);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		out->track = db_int(q, 0);
		if (!db_is_null(q, 1))
			out->base_commit = col_str(q, 1, p);
	}
	db_done(q);
	return e;
}
