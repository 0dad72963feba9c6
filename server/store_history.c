/* store_history.c - SQL for histories as they are made. */
#include "server/store_history.h"

#include "lib/mem.h"

/* ---- what histories are made of */

static void read_trackpoint(struct db_stmt *q, struct pool *p, struct trackpoint *out)
{
	*out = (struct trackpoint){.track = db_int(q, 0),
	                           .position = db_int(q, 1),
	                           .commit = col_str(q, 2, p),
	                           .kind = col_str(q, 3, p),
	                           .submission = opt_int(q, 4)};
}

enum err store_trackpoints_of(struct db *db, int64_t submission, struct pool *p,
                              struct trackpoints *out, struct why *w)
{
	/* By its commits: a branch is long. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT DISTINCT t.track_id, t.position, t.commit_id, t.kind, t.submission_id"
	            " FROM submission_kernel k JOIN track_point t ON t.commit_id = k.commit_id"
	            " WHERE k.submission_id = ?1 AND EXISTS (SELECT 1 FROM track_point o"
	            " WHERE o.submission_id = ?1 AND o.track_id = t.track_id)"
	            " ORDER BY t.track_id + 0, t.position + 0");
	enum err e;

	db_bind_int(q, 1, submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		read_trackpoint(q, p,
		                pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_trackpoint_next(struct db *db, int64_t track, int64_t position, struct pool *p,
                               struct trackpoint *out, bool *found, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT track_id, position, commit_id, kind, submission_id FROM track_point"
	            " WHERE track_id = ?1 AND position > ?2 ORDER BY position LIMIT 1");
	enum err e;

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, position);
	e = db_step(q, w);
	*found = e == OK && db_has_row(q);
	if (*found)
		read_trackpoint(q, p, out);
	db_done(q);
	return e;
}

enum err store_track_branch(struct db *db, int64_t track, struct pool *p, const char **tree,
                            const char **branch, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT tree, branch FROM track WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, track);
	e = db_step(q, w);
	if (e == OK && !db_has_row(q))
		e = err_set(w, ERR_NOT_FOUND, "there is no track %lld", (long long)track);
	if (e == OK) {
		*tree = col_str(q, 0, p);
		*branch = col_str(q, 1, p);
	}
	db_done(q);
	return e;
}

static void bind_trackpoint(struct db_stmt *q, const struct trackpoint *t)
{
	db_bind_int(q, 1, t->track);
	db_bind_text(q, 2, t->commit);
	bind_opt(q, 3, t->submission);
	db_bind_int(q, 4, t->position);
}

/* "+ 0": the commit is looked up, instead of the branch walked back for the largest. */
enum err store_history_cells(struct db *db, const struct trackpoint *t, struct pool *p,
                             struct history_cells *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "SELECT c.board, c.case_text, c.metric, coalesce(k.config_sha256, ''), c.env_id,"
	        " k.config_name, coalesce(d.deterministic, 0),"
	        " CASE WHEN c.mean IS NULL AND k.pos <> s.baseline"
	        " AND y.section_hash = z.section_hash THEN c.base_mean"
	        " ELSE c.mean END, c.std_rel, c.tau, c.change, c.low, c.high, c.boots,"
	        " (SELECT max(q.position + 0) FROM track_point q WHERE q.track_id = ?1"
	        " AND q.commit_id = b.commit_id AND q.position < ?4),"
	        " c.mean IS NULL, c.verdict IN ('slower', 'faster'), k.kernel_id,"
	        " k.submission_id, c.last_boot"
	        " FROM submission_kernel k JOIN submission s ON s.id = k.submission_id"
	        " JOIN submission_kernel b ON b.submission_id = s.id AND b.pos = s.baseline"
	        " JOIN comparison m ON m.submission_id = s.id AND m.complete = 1"
	        " JOIN cell c ON c.submission_id = s.id AND c.kernel = k.name"
	        " JOIN kernel y ON y.id = k.kernel_id"
	        " LEFT JOIN kernel z ON z.id = b.kernel_id"
	        " LEFT JOIN board d ON d.name = c.board"
	        " WHERE k.commit_id = ?2 AND k.validates IS NULL AND k.built_only = 0"
	        " AND c.env_id IS NOT NULL AND EXISTS (SELECT 1 FROM track_point o"
	        " WHERE o.track_id = ?1 AND o.submission_id = s.id)"
	        " ORDER BY 1, 2, 3, 4, 5, CASE WHEN s.id = ?3 THEN 0 ELSE 1 END, s.id, k.pos");
	enum err e;

	bind_trackpoint(q, t);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct history_cell *c =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		*c = (struct history_cell){.key = {.track = t->track,
		                                   .board = col_str(q, 0, p),
		                                   .case_text = col_str(q, 1, p),
		                                   .metric = col_str(q, 2, p),
		                                   .config = col_str(q, 3, p),
		                                   .env_id = col_str(q, 4, p)},
		                           .config_name = col_str(q, 5, p),
		                           .deterministic = db_int(q, 6) != 0,
		                           .value = opt_num(q, 7),
		                           .spread = opt_num(q, 8),
		                           .tau = opt_num(q, 9),
		                           .change = opt_num(q, 10),
		                           .low = opt_num(q, 11),
		                           .high = opt_num(q, 12),
		                           .boots = db_int(q, 13),
		                           .against = opt_int(q, 14),
		                           .carried = db_int(q, 15) != 0,
		                           .moved = db_int(q, 16) != 0,
		                           .kernel = db_int(q, 17),
		                           .submission = db_int(q, 18),
		                           .last_boot = db_int(q, 19)};
	}
	db_done(q);
	return e;
}

void history_point_row(struct db_stmt *q, struct history_point *out)
{
	*out = (struct history_point){.history = db_int(q, 0),
	                              .position = db_int(q, 1),
	                              .c = {.value = db_real(q, 2),
	                                    .spread = opt_num(q, 3),
	                                    .boots = db_int(q, 4),
	                                    .carried = db_int(q, 5) != 0,
	                                    .tau = opt_num(q, 6),
	                                    .against = opt_int(q, 7),
	                                    .change = opt_num(q, 8),
	                                    .low = opt_num(q, 9),
	                                    .high = opt_num(q, 10),
	                                    .moved = db_int(q, 11) != 0,
	                                    .kernel = db_int(q, 12),
	                                    .submission = db_int(q, 13),
	                                    .last_boot = db_int(q, 14)}};
}

enum err store_history_carried(struct db *db, const struct trackpoint *t, struct pool *p,
                               struct history_cells *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT " HISTORY_POINT
	            ", h.board, h.case_text, h.metric, h.config, h.env_id, h.config_name,"
	            " h.deterministic, y.id FROM submission_kernel k"
	            " JOIN kernel y ON y.id = k.kernel_id AND y.section_hash IS NOT NULL"
	            " JOIN history h ON h.track_id = ?1 JOIN history_point x"
	            " ON x.history_id = h.id AND x.position = (SELECT max(o.position)"
	            " FROM track_point o WHERE o.track_id = ?1 AND o.position < ?4"
	            " AND o.submission_id IS NOT NULL) JOIN kernel z ON z.id = x.kernel_id AND "
	            "z.section_hash = y.section_hash"
	            " JOIN comparison m ON m.submission_id = k.submission_id AND m.complete = 1"
	            " WHERE k.submission_id = ?3 AND k.commit_id = ?2 AND k.validates IS NULL"
	            " AND k.built_only = 0 ORDER BY h.id");
	enum err e;

	bind_trackpoint(q, t);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct history_cell *c =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));
		struct history_point x;

		history_point_row(q, &x);
		*c = x.c;
		c->key = (struct series_key){.track = t->track,
		                             .board = col_str(q, 15, p),
		                             .case_text = col_str(q, 16, p),
		                             .metric = col_str(q, 17, p),
		                             .config = col_str(q, 18, p),
		                             .env_id = col_str(q, 19, p)};
		c->config_name = col_str(q, 20, p);
		c->deterministic = db_int(q, 21) != 0;
		c->kernel = db_int(q, 22);
		c->submission = t->submission;
		c->boots = 0;
		c->carried = true;
		c->moved = false;
		c->against = x.position;
		c->change = 0;
		c->low = c->high = NAN;
	}
	db_done(q);
	return e;
}

/* ---- histories */

static void read_history(struct db_stmt *q, struct pool *p, struct history *out)
{
	*out = (struct history){.id = db_int(q, 0),
	                        .key = {.track = db_int(q, 1),
	                                .board = col_str(q, 2, p),
	                                .case_text = col_str(q, 3, p),
	                                .metric = col_str(q, 4, p),
	                                .config = col_str(q, 5, p),
	                                .env_id = col_str(q, 6, p)},
	                        .config_name = col_str(q, 7, p),
	                        .deterministic = db_int(q, 8) != 0,
	                        .more_is_better = db_int(q, 9) != 0,
	                        .points = db_int(q, 10),
	                        .class = col_str(q, 11, p),
	                        .level = opt_num(q, 12),
	                        .unit = col_str(q, 13, p)};
}

#define HISTORY                                                                       \
	"SELECT id, track_id, board, case_text, metric, config, env_id, config_name," \
	" deterministic, more_is_better, points, class, level, unit FROM history WHERE "

static enum err find(struct db *db, const struct series_key *k, struct history *out, bool *found,
                     struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT id, deterministic, more_is_better, points, level FROM history"
	            " WHERE track_id = ?1 AND board = ?2 AND case_text = ?3"
	            " AND metric = ?4 AND config = ?5 AND env_id = ?6");
	enum err e;

	db_bind_int(q, 1, k->track);
	db_bind_text(q, 2, k->board);
	db_bind_text(q, 3, k->case_text);
	db_bind_text(q, 4, k->metric);
	db_bind_text(q, 5, k->config);
	db_bind_text(q, 6, k->env_id);
	e = db_step(q, w);
	*found = e == OK && db_has_row(q);
	if (*found)
		*out = (struct history){.id = db_int(q, 0),
		                        .key = *k,
		                        .deterministic = db_int(q, 1) != 0,
		                        .more_is_better = db_int(q, 2) != 0,
		                        .points = db_int(q, 3),
		                        .level = opt_num(q, 4)};
	db_done(q);
	return e;
}

/* What a boot of the submission said of the metric. */
static enum err unit_of(struct db *db, const struct history_cell *c, struct pool *p, bool *more,
                        const char **unit, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT b.better, b.unit FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
	            " WHERE s.submission_id = ?1 AND b.board = ?2 AND b.metric = ?3"
	            " ORDER BY b.id LIMIT 1");
	enum err e;

	db_bind_int(q, 1, c->submission);
	db_bind_text(q, 2, c->key.board);
	db_bind_text(q, 3, c->key.metric);
	e = db_step(q, w);
	*more = e == OK && db_has_row(q) && str_eq(db_text(q, 0), "more");
	*unit = e == OK && db_has_row(q) ? col_str(q, 1, p) : NULL;
	if (!*unit)
		*unit = c->key.metric;
	db_done(q);
	return e;
}

enum err store_history_of(struct db *db, const struct history_cell *c, struct pool *p,
                          struct history *out, struct why *w)
{
	struct db_stmt *q;
	bool found, more;
	const char *unit;
	enum err e = find(db, &c->key, out, &found, w);

	if (e == OK && !found)
		e = unit_of(db, c, p, &more, &unit, w);
	if (e != OK || found)
		return e;
	q = db_prepare(db,
	               "INSERT INTO history (track_id, board, case_text, metric, config, env_id,"
	               " config_name, deterministic, more_is_better, unit, points, class)"
	               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 'steady')");
	db_bind_int(q, 1, c->key.track);
	db_bind_text(q, 2, c->key.board);
	db_bind_text(q, 3, c->key.case_text);
	db_bind_text(q, 4, c->key.metric);
	db_bind_text(q, 5, c->key.config);
	db_bind_text(q, 6, c->key.env_id);
	db_bind_text(q, 7, c->config_name);
	db_bind_int(q, 8, c->deterministic);
	db_bind_int(q, 9, more);
	db_bind_text(q, 10, unit);
	e = db_run(q, w);
	return e == OK ? find(db, &c->key, out, &found, w) : e;
}

enum err store_history_get(struct db *db, int64_t id, struct pool *p, struct history *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(db, HISTORY "id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && !db_has_row(q))
		e = err_set(w, ERR_NOT_FOUND, "there is no history %lld", (long long)id);
	if (e == OK)
		read_history(q, p, out);
	db_done(q);
	return e;
}

enum err store_history_list(struct db *db, const struct history_filter *f, struct pool *p,
                            struct histories *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, HISTORY "track_id = ?1 AND points > 0 AND (?2 IS NULL OR board = ?2)"
	                    " AND (?3 IS NULL OR case_text = ?3) AND (?4 IS NULL OR metric = ?4)"
	                    " AND (?5 IS NULL OR config_name = ?5) AND (?6 IS NULL OR env_id = ?6)"
	                    " ORDER BY board, case_text, metric, config, (SELECT min(x.position)"
	                    " FROM history_point x WHERE x.history_id = history.id), id");
	enum err e;

	db_bind_int(q, 1, f->track);
	db_bind_text(q, 2, f->board);
	db_bind_text(q, 3, f->case_text);
	db_bind_text(q, 4, f->metric);
	db_bind_text(q, 5, f->config_name);
	db_bind_text(q, 6, f->env_id);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		read_history(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_history_state(struct db *db, int64_t id, const char *class, double level,
                             struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "UPDATE history SET class = ?2, level = ?3 WHERE id = ?1");

	db_bind_int(q, 1, id);
	db_bind_text(q, 2, class);
	bind_num(q, 3, level);
	return db_run(q, w);
}

enum err store_history_clear(struct db *db, struct why *w)
{
	static const char *const tables[] = {
	        "DELETE FROM history_fault",  "DELETE FROM history_block",
	        "DELETE FROM history_change", "DELETE FROM history_point",
	        "DELETE FROM history",
	};
	enum err e = OK;

	for (size_t i = 0; e == OK && i < ARRAY_SIZE(tables); i++)
		e = db_run(db_prepare(db, tables[i]), w);
	return e;
}

static enum err read_points(struct db_stmt *q, struct pool *p, struct history_points *out,
                            struct why *w)
{
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		history_point_row(q,
		                  pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_history_at(struct db *db, int64_t track, int64_t position, struct pool *p,
                          struct history_points *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT " HISTORY_POINT " FROM history h JOIN history_point x"
	                       " ON x.history_id = h.id AND x.position = ?2"
	                       " WHERE h.track_id = ?1 ORDER BY h.id");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, position);
	return read_points(q, p, out, w);
}

static enum err count_points(struct db *db, int64_t history, int64_t more, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE history SET points = points + ?2 WHERE id = ?1");

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, more);
	return db_run(q, w);
}

/* Once its points have changed. */
static enum err sum_block(struct db *db, int64_t history, int64_t position, struct why *w)
{
	int64_t block = position / HISTORY_BLOCK;
	struct db_stmt *q = db_prepare(db, "DELETE FROM history_block WHERE history_id = ?1"
	                                   " AND block = ?2");
	enum err e;

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, block);
	e = db_run(q, w);
	if (e != OK)
		return e;
	q = db_prepare(db, "INSERT INTO history_block (history_id, block, points, low, high, total)"
	                   " SELECT ?1, ?2, count(*), min(value), max(value), sum(value)"
	                   " FROM history_point WHERE history_id = ?1 AND position >= ?3"
	                   " AND position <= ?4 HAVING count(*) > 0");
	db_bind_int(q, 1, history);
	db_bind_int(q, 2, block);
	db_bind_int(q, 3, block * HISTORY_BLOCK);
	db_bind_int(q, 4, block * HISTORY_BLOCK + HISTORY_BLOCK - 1);
	return db_run(q, w);
}

enum err store_history_put(struct db *db, int64_t history, int64_t position,
                           const struct history_cell *c, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "DELETE FROM history_point WHERE history_id = ?1"
	                                   " AND position = ?2");
	enum err e;

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, position);
	e = db_run(q, w);
	if (e == OK && db_changes(db) == 0)
		e = count_points(db, history, 1, w);
	if (e != OK)
		return e;
	q = db_prepare(db, "INSERT INTO history_point (history_id, position, value, spread, boots,"
	                   " carried, tau, against, change, low, high, moved, kernel_id,"
	                   " submission_id, last_boot) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
	                   " ?10, ?11, ?12, ?13, ?14, ?15)");
	db_bind_int(q, 1, history);
	db_bind_int(q, 2, position);
	db_bind_real(q, 3, c->value);
	bind_num(q, 4, c->spread);
	db_bind_int(q, 5, c->boots);
	db_bind_int(q, 6, c->carried);
	bind_num(q, 7, c->tau);
	bind_opt(q, 8, c->against);
	bind_num(q, 9, c->change);
	bind_num(q, 10, c->low);
	bind_num(q, 11, c->high);
	db_bind_int(q, 12, c->moved);
	db_bind_int(q, 13, c->kernel);
	db_bind_int(q, 14, c->submission);
	db_bind_int(q, 15, c->last_boot);
	e = db_run(q, w);
	return e == OK ? sum_block(db, history, position, w) : e;
}

enum err store_history_drop(struct db *db, int64_t history, int64_t position, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "DELETE FROM history_point WHERE history_id = ?1"
	                                   " AND position = ?2");
	enum err e;

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, position);
	e = db_run(q, w);
	if (e == OK && db_changes(db))
		e = count_points(db, history, -1, w);
	return e == OK ? sum_block(db, history, position, w) : e;
}

void history_bind_around(struct db_stmt *q, int64_t history, int64_t position, int64_t n)
{
	db_bind_int(q, 1, history);
	db_bind_int(q, 2, position);
	db_bind_int(q, 3, n);
}

static void turn_points(struct history_points *l)
{
	for (size_t i = 0; i < l->count / 2; i++) {
		struct history_point x = l->at[i];

		l->at[i] = l->at[l->count - 1 - i];
		l->at[l->count - 1 - i] = x;
	}
}

enum err store_history_around(struct db *db, int64_t history, int64_t position, int64_t before,
                              int64_t after, struct pool *p, struct history_points *out,
                              struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT " HISTORY_POINT " FROM history_point x"
	                                   " WHERE x.history_id = ?1 AND x.position < ?2"
	                                   " ORDER BY x.position DESC LIMIT ?3");
	enum err e;

	history_bind_around(q, history, position, before);
	e = read_points(q, p, out, w);
	if (e != OK)
		return e;
	turn_points(out);
	q = db_prepare(db, "SELECT " HISTORY_POINT " FROM history_point x WHERE x.history_id = ?1"
	                   " AND x.position >= ?2 ORDER BY x.position LIMIT ?3");
	history_bind_around(q, history, position, after);
	return read_points(q, p, out, w);
}

enum err store_history_between(struct db *db, int64_t history, int64_t from, int64_t until,
                               int64_t most, int64_t *n, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT count(*) FROM (SELECT 1 AS one FROM history_point WHERE history_id = ?1"
	            " AND position >= ?2 AND position < ?3 LIMIT ?4) AS x");

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, from);
	db_bind_int(q, 3, until);
	db_bind_int(q, 4, most);
	return db_run_int(q, n, w);
}
