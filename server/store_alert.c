/* store_alert.c - SQL for alerts. */
#include "server/store_alert.h"

#include "lib/mem.h"

#include <string.h>

#define ALERT                                                                             \
	"SELECT a.id, a.kind, a.cause, a.title, a.submission_id, a.kernel, a.boot_id,"    \
	" a.signature, a.state, a.owner, a.created_ms, a.changed_ms,"                     \
	" coalesce(k.tree, t.tree), coalesce(t.branch, k.ref),"                           \
	" k.commit_id, k.subject, b.name, b.tree, b.ref, b.commit_id, b.subject,"         \
	" EXISTS (SELECT 1 FROM alert_cell c WHERE c.alert_id = a.id)"                    \
	" AND NOT EXISTS (SELECT 1 FROM alert_cell c WHERE c.alert_id = a.id"             \
	" AND c.mute_id IS NULL), k.config_name, b.config_name, a.track_id FROM alert a"  \
	" LEFT JOIN submission s ON s.id = a.submission_id"                               \
	" LEFT JOIN submission_kernel k ON k.submission_id = s.id AND k.name = a.kernel"  \
	" LEFT JOIN submission_kernel b ON b.submission_id = s.id AND b.pos = s.baseline" \
	" LEFT JOIN track t ON t.id = coalesce(a.track_id, (SELECT x.track_id"            \
	" FROM track_point x WHERE x.submission_id IN (s.id, s.part_of) LIMIT 1),"        \
	" (SELECT x.track_id FROM track_point x"                                          \
	" WHERE x.release_id IN (s.id, s.part_of) LIMIT 1))"

static void alert_row(struct db_stmt *q, struct pool *p, struct alert *a)
{
	a->id = db_int(q, 0);
	a->kind = col_str(q, 1, p);
	a->cause = col_str(q, 2, p);
	a->title = col_str(q, 3, p);
	a->submission = opt_int(q, 4);
	a->kernel = col_str(q, 5, p);
	a->boot = opt_int(q, 6);
	a->signature = col_str(q, 7, p);
	a->state = col_str(q, 8, p);
	a->owner = col_str(q, 9, p);
	a->created_ms = db_int(q, 10);
	a->changed_ms = db_int(q, 11);
	a->tree = col_str(q, 12, p);
	a->ref = col_str(q, 13, p);
	a->commit = col_str(q, 14, p);
	a->subject = col_str(q, 15, p);
	a->base = col_str(q, 16, p);
	a->base_tree = col_str(q, 17, p);
	a->base_ref = col_str(q, 18, p);
	a->base_commit = col_str(q, 19, p);
	a->base_subject = col_str(q, 20, p);
	a->muted = db_int(q, 21) != 0;
	a->config = col_str(q, 22, p);
	a->base_config = col_str(q, 23, p);
	a->track = opt_int(q, 24);
}

enum err store_alert_add(struct db *db, const struct alert *a, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO alert (kind, cause, title, submission_id, kernel, boot_id,"
	            " signature, state, created_ms, changed_ms, track_id) VALUES (?1, ?2, ?3, ?4,"
	            " ?5, ?6, ?7, ?8, ?9, ?9, ?10) RETURNING id");

	db_bind_text(q, 1, a->kind);
	db_bind_text(q, 2, a->cause);
	db_bind_text(q, 3, a->title);
	bind_opt(q, 4, a->submission);
	db_bind_text(q, 5, a->kernel);
	bind_opt(q, 6, a->boot);
	db_bind_text(q, 7, a->signature);
	db_bind_text(q, 8, a->state);
	db_bind_int(q, 9, a->created_ms);
	bind_opt(q, 10, a->track ? a->track : NONE);
	return db_run_int(q, id, w);
}

enum err store_alert_get(struct db *db, int64_t id, struct pool *p, struct alert *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(db, ALERT " WHERE a.id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		alert_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no alert %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_alert_by_cause(struct db *db, const char *cause, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT id FROM alert WHERE cause = ?1");
	enum err e;

	*id = NONE;
	db_bind_text(q, 1, cause);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*id = db_int(q, 0);
	db_done(q);
	return e;
}

enum err store_alert_list(struct db *db, const struct alert_filter *f, struct pool *p,
                          struct alerts *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, ALERT
	        " WHERE a.id < ?1 AND (?2 IS NULL OR a.state = ?2 OR (?2 = 'open' AND a.state IN"
	        " ('new','confirmed','acknowledged'))) AND (?3 IS NULL OR a.kind = ?3)"
	        " AND (?4 IS NULL OR EXISTS (SELECT 1 FROM alert_cell c WHERE c.alert_id = a.id"
	        " AND c.board = ?4)) ORDER BY a.id DESC LIMIT ?5");
	enum err e;

	db_bind_int(q, 1, f->before);
	db_bind_text(q, 2, f->state);
	db_bind_text(q, 3, f->kind);
	db_bind_text(q, 4, f->board);
	db_bind_int(q, 5, f->limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		alert_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

/* ---- steps */

enum err store_alert_step(struct db *db, int64_t alert, const struct alert_step *s,
                          const char *owner, int64_t *id, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO alert_step (alert_id, from_state, to_state, why,"
	                       " by_whom, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id");
	enum err e;

	db_bind_int(q, 1, alert);
	db_bind_text(q, 2, s->from);
	db_bind_text(q, 3, s->to);
	db_bind_text(q, 4, s->why);
	db_bind_text(q, 5, s->by);
	db_bind_int(q, 6, s->at_ms);
	e = db_run_int(q, id, w);
	if (e != OK || !s->from || strcmp(s->from, s->to) == 0)
		return e;
	q = db_prepare(db, "UPDATE alert SET state = ?2, changed_ms = ?3,"
	                   " owner = coalesce(?4, owner) WHERE id = ?1");
	db_bind_int(q, 1, alert);
	db_bind_text(q, 2, s->to);
	db_bind_int(q, 3, s->at_ms);
	db_bind_text(q, 4, owner);
	return db_run(q, w);
}

enum err store_alert_by_server(struct db *db, int64_t alert, bool *is, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT by_whom IS NULL FROM alert_step WHERE alert_id = ?1"
	                       " AND (from_state IS NULL OR from_state <> to_state)"
	                       " ORDER BY id DESC LIMIT 1");
	int64_t server = 0;
	enum err e;

	db_bind_int(q, 1, alert);
	e = db_run_int(q, &server, w);
	*is = server != 0;
	return e;
}

#define STEP "SELECT id, from_state, to_state, why, by_whom, at_ms FROM alert_step"

static void step_row(struct db_stmt *q, struct pool *p, struct alert_step *s)
{
	s->id = db_int(q, 0);
	s->from = col_str(q, 1, p);
	s->to = col_str(q, 2, p);
	s->why = col_str(q, 3, p);
	s->by = col_str(q, 4, p);
	s->at_ms = db_int(q, 5);
}

enum err store_alert_steps(struct db *db, int64_t alert, struct pool *p, struct alert_steps *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(db, STEP " WHERE alert_id = ?1 ORDER BY id");
	enum err e;

	db_bind_int(q, 1, alert);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		step_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_alert_step_get(struct db *db, int64_t step, struct pool *p, struct alert_step *out,
                              struct why *w)
{
	struct db_stmt *q = db_prepare(db, STEP " WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, step);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		step_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no step %lld", (long long)step);
	db_done(q);
	return e;
}

/* ---- cells */

static enum err add_cell(struct db *db, int64_t alert, size_t pos, const struct alert_cell *c,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO alert_cell (alert_id, pos, submission_id, boot_id, board,"
	            " case_text, metric, verdict, base_mean, mean, change, low, high, boots,"
	            " mute_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
	            " ?14, ?15)");

	db_bind_int(q, 1, alert);
	db_bind_int(q, 2, (int64_t)pos);
	bind_opt(q, 3, c->submission);
	bind_opt(q, 4, c->boot);
	db_bind_text(q, 5, c->board);
	db_bind_text(q, 6, c->case_text);
	db_bind_text(q, 7, c->metric);
	db_bind_text(q, 8, c->verdict);
	bind_num(q, 9, c->base_mean);
	bind_num(q, 10, c->mean);
	bind_num(q, 11, c->change);
	bind_num(q, 12, c->low);
	bind_num(q, 13, c->high);
	bind_opt(q, 14, c->boots);
	bind_opt(q, 15, c->mute);
	return db_run(q, w);
}

enum err store_alert_cells_set(struct db *db, int64_t alert, const struct alert_cells *cells,
                               struct why *w)
{
	struct db_stmt *q = db_prepare(db, "DELETE FROM alert_cell WHERE alert_id = ?1");
	size_t i;
	enum err e;

	db_bind_int(q, 1, alert);
	e = db_run(q, w);
	for (i = 0; e == OK && i < cells->count; i++)
		e = add_cell(db, alert, i, &cells->at[i], w);
	return e;
}

enum err store_alert_cells(struct db *db, int64_t alert, struct pool *p, struct alert_cells *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT c.submission_id, c.boot_id, c.board, c.case_text, c.metric, c.verdict,"
	            " c.base_mean, c.mean, c.change, c.low, c.high, c.boots, c.mute_id,"
	            " coalesce(b.emulated, 0) FROM alert_cell c LEFT JOIN board b"
	            " ON b.name = c.board WHERE c.alert_id = ?1 ORDER BY c.pos");
	enum err e;

	db_bind_int(q, 1, alert);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct alert_cell *c =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		c->submission = opt_int(q, 0);
		c->boot = opt_int(q, 1);
		c->board = col_str(q, 2, p);
		c->case_text = col_str(q, 3, p);
		c->metric = col_str(q, 4, p);
		c->verdict = col_str(q, 5, p);
		c->base_mean = opt_num(q, 6);
		c->mean = opt_num(q, 7);
		c->change = opt_num(q, 8);
		c->low = opt_num(q, 9);
		c->high = opt_num(q, 10);
		c->boots = opt_int(q, 11);
		c->mute = opt_int(q, 12);
		c->emulated = db_int(q, 13) != 0;
	}
	db_done(q);
	return e;
}

enum err store_alert_fresh(struct db *db, int64_t submission, int64_t kernel, int64_t *boots,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT count(*) FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
	            " JOIN kernel k ON k.id = b.kernel_id WHERE s.submission_id = ?1"
	            " AND s.reused = 0 AND (k.id = ?2"
	            " OR k.family = (SELECT f.key FROM kernel f WHERE f.id = ?2))");

	db_bind_int(q, 1, submission);
	db_bind_int(q, 2, kernel);
	return db_run_int(q, boots, w);
}

enum err store_alert_kernel_since(struct db *db, int64_t kernel, int64_t *since_ms, struct why *w)
{
	/* Each an index's first row: joined by OR the whole table would be read. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT min(y.ms) FROM (SELECT created_ms AS ms FROM kernel WHERE id = ?1"
	            " UNION ALL SELECT min(o.created_ms) FROM kernel o WHERE o.commit_id ="
	            " (SELECT commit_id FROM kernel WHERE id = ?1)"
	            " UNION ALL SELECT min(o.created_ms) FROM kernel o WHERE o.section_hash ="
	            " (SELECT section_hash FROM kernel WHERE id = ?1)"
	            " UNION ALL SELECT min(o.created_ms) FROM kernel o WHERE o.image ="
	            " (SELECT image FROM kernel WHERE id = ?1)) AS y");

	db_bind_int(q, 1, kernel);
	return db_run_int(q, since_ms, w);
}

/* ---- marks */

enum err store_mark_add(struct db *db, const struct alert_mark *m, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO alert_mark (mark, alert_id, submission_id, board, case_text, why,"
	            " by_whom, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id");

	db_bind_text(q, 1, m->mark);
	bind_opt(q, 2, m->alert);
	bind_opt(q, 3, m->submission);
	db_bind_text(q, 4, m->board);
	db_bind_text(q, 5, m->case_text);
	db_bind_text(q, 6, m->why);
	db_bind_text(q, 7, m->by);
	db_bind_int(q, 8, m->at_ms);
	return db_run_int(q, id, w);
}

enum err store_mark_list(struct db *db, int64_t alert, int64_t before, int64_t limit,
                         struct pool *p, struct alert_marks *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT id, mark, alert_id, submission_id, board, case_text, why, by_whom,"
	            " at_ms FROM alert_mark WHERE id < ?2 AND (?1 IS NULL OR alert_id = ?1)"
	            " ORDER BY id DESC LIMIT ?3");
	enum err e;

	bind_opt(q, 1, alert);
	db_bind_int(q, 2, before);
	db_bind_int(q, 3, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct alert_mark *m =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		m->id = db_int(q, 0);
		m->mark = col_str(q, 1, p);
		m->alert = opt_int(q, 2);
		m->submission = opt_int(q, 3);
		m->board = col_str(q, 4, p);
		m->case_text = col_str(q, 5, p);
		m->why = col_str(q, 6, p);
		m->by = col_str(q, 7, p);
		m->at_ms = db_int(q, 8);
	}
	db_done(q);
	return e;
}

enum err store_mark_quality(struct db *db, struct alert_quality *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT count(*), coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM alert_step s"
	            " WHERE s.alert_id = a.id AND s.to_state = 'confirmed') THEN 1 ELSE 0 END), 0),"
	            " coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM alert_step s WHERE s.alert_id ="
	            " a.id AND s.to_state = 'not_reproduced') THEN 1 ELSE 0 END), 0),"
	            " coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM alert_mark m WHERE m.alert_id ="
	            " a.id AND m.mark = 'wrong') THEN 1 ELSE 0 END), 0),"
	            " (SELECT count(*) FROM alert_mark WHERE mark = 'missed')"
	            " FROM alert a WHERE a.kind <> 'missing'");
	enum err e = db_step(q, w);

	*out = (struct alert_quality){0};
	if (e == OK && db_has_row(q))
		*out = (struct alert_quality){.alerts = db_int(q, 0),
		                              .confirmed = db_int(q, 1),
		                              .not_reproduced = db_int(q, 2),
		                              .wrong = db_int(q, 3),
		                              .missed = db_int(q, 4)};
	db_done(q);
	return e;
}

/* ---- mutes */

#define MUTE                                                                  \
	"SELECT id, board, case_glob, branch, why, by_whom, until_ms, at_ms," \
	" ended_ms, ended_by FROM mute"

static void mute_row(struct db_stmt *q, struct pool *p, struct mute *m)
{
	m->id = db_int(q, 0);
	m->board = col_str(q, 1, p);
	m->case_glob = col_str(q, 2, p);
	m->branch = col_str(q, 3, p);
	m->why = col_str(q, 4, p);
	m->by = col_str(q, 5, p);
	m->until_ms = db_int(q, 6);
	m->at_ms = db_int(q, 7);
	m->ended_ms = opt_int(q, 8);
	m->ended_by = col_str(q, 9, p);
}

enum err store_mute_add(struct db *db, const struct mute *m, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO mute (board, case_glob, branch, why, until_ms, by_whom, at_ms)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id");

	db_bind_text(q, 1, m->board);
	db_bind_text(q, 2, m->case_glob);
	db_bind_text(q, 3, m->branch);
	db_bind_text(q, 4, m->why);
	db_bind_int(q, 5, m->until_ms);
	db_bind_text(q, 6, m->by);
	db_bind_int(q, 7, m->at_ms);
	return db_run_int(q, id, w);
}

enum err store_mute_get(struct db *db, int64_t id, struct pool *p, struct mute *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, MUTE " WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		mute_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no mute %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_mute_end(struct db *db, int64_t id, const char *by, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct mute m = {0};
	struct db_stmt *q;
	enum err e = store_mute_get(db, id, p, &m, w);

	if (e == OK && m.ended_ms != NONE)
		e = err_set(w, ERR_CONFLICT, "mute %lld was ended already", (long long)id);
	if (e == OK) {
		q = db_prepare(db, "UPDATE mute SET ended_ms = ?2, ended_by = ?3 WHERE id = ?1");
		db_bind_int(q, 1, id);
		db_bind_int(q, 2, now_ms);
		db_bind_text(q, 3, by);
		e = db_run(q, w);
	}
	pool_free(p);
	return e;
}

enum err store_mute_over(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT DISTINCT a.id FROM alert_cell c JOIN mute m ON m.id = c.mute_id"
	            " JOIN alert a ON a.id = c.alert_id WHERE c.mute_id IS NOT NULL"
	            " AND a.state IN ('new','confirmed','acknowledged')"
	            " AND (m.until_ms <= ?1 OR m.ended_ms IS NOT NULL) ORDER BY a.id");

	db_bind_int(q, 1, now_ms);
	return read_ids(q, p, out, w);
}

enum err store_mute_list(struct db *db, int64_t now_ms, struct pool *p, struct mutes *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, MUTE " WHERE ?1 IS NULL OR (until_ms > ?1 AND ended_ms IS NULL) ORDER BY id");
	enum err e;

	bind_opt(q, 1, now_ms);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		mute_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}
