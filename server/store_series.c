/* store_series.c - SQL for patch series. */
#include "server/store_series.h"

enum err store_series_add(struct db *db, int64_t sub, const struct series *s, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO series (submission_id, bundle, patches, every, tip_config,"
	            " tip_config_name, tip_config_whole, check_config, check_config_name, steps)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
	size_t i;
	enum err e;

	db_bind_int(q, 1, sub);
	db_bind_text(q, 2, s->bundle);
	db_bind_text(q, 3, s->patches);
	db_bind_int(q, 4, s->every);
	db_bind_text(q, 5, s->tip_config);
	db_bind_text(q, 6, s->tip_config_name);
	db_bind_int(q, 7, s->tip_config_whole);
	db_bind_text(q, 8, s->check_config);
	db_bind_text(q, 9, s->check_config_name);
	bind_opt(q, 10, s->steps);
	e = db_run(q, w);
	for (i = 0; e == OK && i < s->marks; i++) {
		q = db_prepare(db, "INSERT INTO series_mark (submission_id, position, name)"
		                   " VALUES (?1, ?2, ?3)");
		db_bind_int(q, 1, sub);
		db_bind_int(q, 2, s->mark[i].position);
		db_bind_text(q, 3, s->mark[i].name);
		e = db_run(q, w);
	}
	return e;
}

static enum err read_marks(struct db *db, int64_t sub, struct pool *p, struct series *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT position, name FROM series_mark"
	                                   " WHERE submission_id = ?1 ORDER BY position");
	enum err e;

	db_bind_int(q, 1, sub);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct series_mark *)pool_push(p, (void **)&out->mark, &out->marks,
		                                 sizeof(*out->mark)) =
		        (struct series_mark){.position = db_int(q, 0), .name = col_str(q, 1, p)};
	db_done(q);
	return e;
}

/* ?1's patches, each with the newest earlier series that has a patch of its patch-id: of
 * the same submitter, on the same tree. */
#define EARLIER                                                                              \
	"SELECT x.position AS position, MAX(y.submission_id) AS earlier FROM series_patch x" \
	" JOIN series_patch y ON y.patch_id = x.patch_id AND y.submission_id < ?1"           \
	" JOIN submission a ON a.id = x.submission_id"                                       \
	" JOIN submission b ON b.id = y.submission_id AND b.submitter = a.submitter"         \
	" JOIN submission_kernel k ON k.submission_id = a.id AND k.pos = 0"                  \
	" JOIN submission_kernel l ON l.submission_id = b.id AND l.pos = 0"                  \
	" AND l.tree = k.tree WHERE x.submission_id = ?1 AND x.patch_id IS NOT NULL"         \
	" GROUP BY x.position"

static enum err read_patches(struct db *db, int64_t sub, struct pool *p, struct series *out,
                             struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "WITH tie AS (" EARLIER ")"
	            " SELECT x.commit_id, x.source, x.subject, x.author, x.patch_id, t.earlier,"
	            " (SELECT MIN(y.position) FROM series_patch y WHERE"
	            " y.submission_id = t.earlier AND y.patch_id = x.patch_id)"
	            " FROM series_patch x LEFT JOIN tie t ON t.position = x.position"
	            " WHERE x.submission_id = ?1 ORDER BY x.position");
	enum err e;

	db_bind_int(q, 1, sub);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct series_patch *)pool_push(p, (void **)&out->patch, &out->count,
		                                  sizeof(*out->patch)) =
		        (struct series_patch){.commit = col_str(q, 0, p),
		                              .source = col_str(q, 1, p),
		                              .subject = col_str(q, 2, p),
		                              .author = col_str(q, 3, p),
		                              .patch_id = col_str(q, 4, p),
		                              .earlier = opt_int(q, 5),
		                              .earlier_position = opt_int(q, 6)};
	db_done(q);
	return e;
}

enum err store_series_changes(struct db *db, int64_t sub, struct pool *p,
                              struct series_changes *out, struct why *w)
{
	/* The kernels that end with one patch, in one configuration, both compared. */
	struct db_stmt *q = db_prepare(
	        db, "WITH tie AS (" EARLIER ")"
	            " SELECT c.kernel, c.board, c.case_text, c.metric, d.verdict, c.verdict,"
	            " t.earlier FROM tie t"
	            " JOIN series_patch x ON x.submission_id = ?1 AND x.position = t.position"
	            " JOIN series_patch y ON y.submission_id = t.earlier"
	            " AND y.patch_id = x.patch_id"
	            " JOIN submission_kernel k ON k.submission_id = ?1 AND k.patches = x.position"
	            " AND k.validates IS NULL AND k.built_only = 0"
	            " JOIN submission_kernel l ON l.submission_id = t.earlier"
	            " AND l.patches = y.position AND l.validates IS NULL AND l.built_only = 0"
	            " AND l.config_sha256 = k.config_sha256"
	            " JOIN cell c ON c.submission_id = ?1 AND c.kernel = k.name"
	            " JOIN cell d ON d.submission_id = t.earlier AND d.kernel = l.name"
	            " AND d.board = c.board AND d.case_text = c.case_text"
	            " AND d.metric = c.metric AND d.verdict <> c.verdict ORDER BY c.pos");
	enum err e;

	db_bind_int(q, 1, sub);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct series_change *)pool_push(p, (void **)&out->at, &out->count,
		                                   sizeof(*out->at)) =
		        (struct series_change){.kernel = col_str(q, 0, p),
		                               .board = col_str(q, 1, p),
		                               .case_text = col_str(q, 2, p),
		                               .metric = col_str(q, 3, p),
		                               .was = col_str(q, 4, p),
		                               .is = col_str(q, 5, p),
		                               .earlier = db_int(q, 6)};
	db_done(q);
	return e;
}

enum err store_series_get(struct db *db, int64_t sub, struct pool *p, struct series *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT bundle, patches, every, tip_config, tip_config_name, tip_config_whole,"
	            " check_config, check_config_name, steps FROM series WHERE submission_id = ?1");
	enum err e;

	*out = (struct series){0};
	db_bind_int(q, 1, sub);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		out->is = true;
		out->bundle = col_str(q, 0, p);
		out->patches = col_str(q, 1, p);
		out->every = db_int(q, 2) != 0;
		out->tip_config = col_str(q, 3, p);
		out->tip_config_name = col_str(q, 4, p);
		out->tip_config_whole = db_int(q, 5) != 0;
		out->check_config = col_str(q, 6, p);
		out->check_config_name = col_str(q, 7, p);
		out->steps = opt_int(q, 8);
	}
	db_done(q);
	if (e == OK && out->is)
		e = read_marks(db, sub, p, out, w);
	if (e == OK && out->is)
		e = read_patches(db, sub, p, out, w);
	return e;
}

static enum err add_person(struct db *db, int64_t sub, int64_t position, const char *address,
                           struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO series_person (submission_id, position, address)"
	                       " VALUES (?1, ?2, ?3)"
	                       " ON CONFLICT (submission_id, position, address) DO NOTHING");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, position);
	db_bind_text(q, 3, address);
	return db_run(q, w);
}

enum err store_series_resolved(struct db *db, int64_t sub, const struct series *s, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE series SET bundle = coalesce(bundle, ?2)"
	                                   " WHERE submission_id = ?1");
	size_t i;
	enum err e;

	db_bind_int(q, 1, sub);
	db_bind_text(q, 2, s->bundle);
	e = db_run(q, w);
	for (i = 0; e == OK && i < s->count; i++) {
		q = db_prepare(db, "INSERT INTO series_patch (submission_id, position, commit_id,"
		                   " subject, author, patch_id, source)"
		                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
		db_bind_int(q, 1, sub);
		db_bind_int(q, 2, (int64_t)i + 1);
		db_bind_text(q, 3, s->patch[i].commit);
		db_bind_text(q, 4, s->patch[i].subject);
		db_bind_text(q, 5, s->patch[i].author);
		db_bind_text(q, 6, s->patch[i].patch_id);
		db_bind_text(q, 7, s->patch[i].source);
		e = db_run(q, w);
		for (size_t o = 0; e == OK && o < s->patch[i].persons; o++)
			e = add_person(db, sub, (int64_t)i + 1, s->patch[i].person[o], w);
	}
	return e;
}

enum err store_series_commit(struct db *db, const char *submitter, const char *tree,
                             const char *commit, struct pool *p, struct series_patch *out,
                             struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT x.commit_id, x.subject, x.author, x.source, x.patch_id"
	                       " FROM series_patch x JOIN submission s ON s.id = x.submission_id"
	                       " JOIN submission_kernel k ON k.submission_id = s.id AND k.pos = 0"
	                       " WHERE x.commit_id = ?3 AND s.submitter = ?1 AND k.tree = ?2"
	                       " ORDER BY s.id DESC LIMIT 1");
	enum err e;

	*out = (struct series_patch){.earlier = NONE, .earlier_position = NONE};
	db_bind_text(q, 1, submitter);
	db_bind_text(q, 2, tree);
	db_bind_text(q, 3, commit);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		out->commit = col_str(q, 0, p);
		out->subject = col_str(q, 1, p);
		out->author = col_str(q, 2, p);
		out->source = col_str(q, 3, p);
		out->patch_id = col_str(q, 4, p);
	}
	db_done(q);
	return e;
}

enum err store_series_persons(struct db *db, int64_t sub, int64_t patches, int64_t limit,
                              struct pool *p, const char ***out, size_t *count, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT address FROM series_person"
	                                   " WHERE submission_id = ?1 AND position <= ?2"
	                                   " GROUP BY address ORDER BY min(position), address"
	                                   " LIMIT ?3");
	enum err e;

	*out = NULL;
	*count = 0;
	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, patches);
	db_bind_int(q, 3, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(const char **)pool_push(p, (void **)out, count, sizeof(**out)) = col_str(q, 0, p);
	db_done(q);
	return e;
}

enum err store_series_bundle(struct db *db, int64_t sub, const char *commit, struct pool *p,
                             const char **bundle, const char **base, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT s.bundle, k.commit_id FROM series s JOIN series_patch x"
	                       " ON x.submission_id = s.submission_id JOIN submission_kernel k"
	                       " ON k.submission_id = s.submission_id AND k.pos = 0"
	                       " JOIN submission m ON m.id = s.submission_id"
	                       " JOIN submission a ON a.id = ?1 AND a.submitter = m.submitter"
	                       " WHERE x.commit_id = ?2"
	                       " ORDER BY (s.submission_id = ?1) DESC, s.submission_id DESC"
	                       " LIMIT 1");
	enum err e;

	*bundle = *base = NULL;
	db_bind_int(q, 1, sub);
	db_bind_text(q, 2, commit);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		*bundle = col_str(q, 0, p);
		*base = col_str(q, 1, p);
	}
	db_done(q);
	return e;
}
