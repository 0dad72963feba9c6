/* store_walk.c - walks and their commits. */
#include "server/store_walk.h"

#include "lib/mem.h"

enum err store_walk_add(struct db *db, const struct walk *k, int64_t now_ms, int64_t *id,
                        struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO walk (submitter, tree, ref, since, state,"
	                                   " asked_ms) VALUES (?1, ?2, ?3, ?4, 'asked', ?5)"
	                                   " RETURNING id");

	db_bind_text(q, 1, k->submitter);
	db_bind_text(q, 2, k->tree);
	db_bind_text(q, 3, k->ref);
	db_bind_text(q, 4, k->since);
	db_bind_int(q, 5, now_ms);
	return db_run_int(q, id, w);
}

enum err store_walk_job(struct db *db, int64_t id, int64_t job, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE walk SET job_id = ?2 WHERE id = ?1");

	db_bind_int(q, 1, id);
	db_bind_int(q, 2, job);
	return db_run(q, w);
}

static enum err read_one(struct db_stmt *q, const char *what, int64_t key, struct pool *p,
                         struct walk *out, struct why *w)
{
	enum err e = db_step(q, w);

	*out = (struct walk){0};
	if (e == OK && !db_has_row(q))
		e = err_set(w, ERR_NOT_FOUND, "there is no walk %s%lld", what, (long long)key);
	if (e == OK)
		*out = (struct walk){.id = db_int(q, 0),
		                     .job = opt_int(q, 1),
		                     .submitter = col_str(q, 2, p),
		                     .tree = col_str(q, 3, p),
		                     .ref = col_str(q, 4, p),
		                     .since = col_str(q, 5, p),
		                     .state = col_str(q, 6, p),
		                     .why = col_str(q, 7, p),
		                     .tip = col_str(q, 8, p),
		                     .base = col_str(q, 9, p),
		                     .linear = db_int(q, 10) != 0,
		                     .omitted = db_int(q, 11),
		                     .asked_ms = db_int(q, 12),
		                     .answered_ms = opt_int(q, 13)};
	db_done(q);
	return e;
}

#define WALK                                                                      \
	"SELECT id, job_id, submitter, tree, ref, since, state, why, tip, base, " \
	"coalesce(linear, 0), omitted, asked_ms, answered_ms FROM walk WHERE "

enum err store_walk_get(struct db *db, int64_t id, struct pool *p, struct walk *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, WALK "id = ?1");

	db_bind_int(q, 1, id);
	return read_one(q, "", id, p, out, w);
}

enum err store_walk_of_job(struct db *db, int64_t job, struct pool *p, struct walk *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(db, WALK "job_id = ?1");

	db_bind_int(q, 1, job);
	return read_one(q, "of job ", job, p, out, w);
}

enum err store_walk_commits(struct db *db, struct walk *k, struct pool *p, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT commit_id, source, subject, author, parents,"
	                       " patch_id, known, mainline FROM walk_commit WHERE walk_id = ?1"
	                       " ORDER BY position");
	enum err e;

	db_bind_int(q, 1, k->id);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct walk_commit *)pool_push(p, (void **)&k->commit, &k->count,
		                                 sizeof(*k->commit)) =
		        (struct walk_commit){.commit = col_str(q, 0, p),
		                             .source = col_str(q, 1, p),
		                             .subject = col_str(q, 2, p),
		                             .author = col_str(q, 3, p),
		                             .parents = db_int(q, 4),
		                             .patch_id = col_str(q, 5, p),
		                             .known = db_int(q, 6) != 0,
		                             .mainline = db_int(q, 7) != 0};
	db_done(q);
	return e;
}

static enum err add_commit(struct db *db, int64_t walk, int64_t position,
                           const struct walk_commit *c, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO walk_commit (walk_id, position, commit_id,"
	                       " source, subject, author, parents, patch_id, known, mainline)"
	                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");

	db_bind_int(q, 1, walk);
	db_bind_int(q, 2, position);
	db_bind_text(q, 3, c->commit);
	db_bind_text(q, 4, c->source);
	db_bind_text(q, 5, c->subject);
	db_bind_text(q, 6, c->author);
	db_bind_int(q, 7, c->parents);
	db_bind_text(q, 8, c->patch_id);
	db_bind_int(q, 9, c->known);
	db_bind_int(q, 10, c->mainline);
	return db_run(q, w);
}

enum err store_walk_done(struct db *db, const struct walk *k, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE walk SET state = 'done', tip = ?2, base = ?3,"
	                                   " linear = ?4, omitted = ?5, answered_ms = ?6"
	                                   " WHERE id = ?1");
	size_t i;
	enum err e;

	db_bind_int(q, 1, k->id);
	db_bind_text(q, 2, k->tip);
	db_bind_text(q, 3, k->base);
	db_bind_int(q, 4, k->linear);
	db_bind_int(q, 5, k->omitted);
	db_bind_int(q, 6, now_ms);
	e = db_run(q, w);
	for (i = 0; e == OK && i < k->count; i++)
		e = add_commit(db, k->id, (int64_t)i + 1, &k->commit[i], w);
	return e;
}

enum err store_walk_failed(struct db *db, int64_t id, const char *why, int64_t now_ms,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE walk SET state = 'failed', why = ?2,"
	                                   " answered_ms = ?3 WHERE id = ?1");

	db_bind_int(q, 1, id);
	db_bind_text(q, 2, why);
	db_bind_int(q, 3, now_ms);
	return db_run(q, w);
}

enum err store_walk_in_vain(struct db *db, const struct walk *k, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT coalesce(max(o.id), 0) FROM walk o WHERE o.id = (SELECT max(b.id)"
	            " FROM walk b WHERE b.ref = ?1 AND b.tree = ?2 AND b.submitter = ?3"
	            " AND b.id < ?4) AND o.state <> 'asked' AND NOT EXISTS (SELECT 1"
	            " FROM track_point x WHERE x.walk_id = o.id) AND NOT EXISTS (SELECT 1"
	            " FROM bisection x WHERE x.walk_id = o.id) AND NOT EXISTS (SELECT 1"
	            " FROM track x WHERE x.walk_id = o.id)");

	db_bind_text(q, 1, k->ref);
	db_bind_text(q, 2, k->tree);
	db_bind_text(q, 3, k->submitter);
	db_bind_int(q, 4, k->id);
	return db_run_int(q, id, w);
}

enum err store_walk_drop(struct db *db, int64_t id, struct why *w)
{
	/* Of the walk and of its job in turn. */
	static const char *const all[] = {
	        "DELETE FROM walk_commit WHERE walk_id = ?1",
	        "DELETE FROM job_result WHERE job_id = ?1",
	        "DELETE FROM walk WHERE id = ?1",
	        "DELETE FROM job WHERE id = ?1",
	};
	struct db_stmt *q = db_prepare(db, "SELECT coalesce(job_id, 0) FROM walk WHERE id = ?1");
	int64_t job = 0;
	enum err e;

	db_bind_int(q, 1, id);
	e = db_run_int(q, &job, w);
	for (size_t i = 0; e == OK && i < ARRAY_SIZE(all); i++) {
		q = db_prepare(db, all[i]);
		db_bind_int(q, 1, i % 2 ? job : id);
		e = db_run(q, w);
	}
	return e;
}
