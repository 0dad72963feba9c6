/* store_compare.c - SQL for comparisons. */
#include "server/store_compare.h"

#include "lib/mem.h"
#include "server/store_across.h"
#include "server/store_covariate.h"

#include <string.h>

static enum err drop(struct db *db, const char *sql, int64_t sub, struct why *w)
{
	struct db_stmt *q = db_prepare(db, sql);

	db_bind_int(q, 1, sub);
	return db_run(q, w);
}

static enum err add_cell(struct db *db, const struct cmp *c, size_t pos, struct why *w)
{
	const struct cmp_cell *x = &c->cell[pos];
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO cell (submission_id, pos, board, case_text, metric, kernel, mean,"
	            " base_mean, std_rel, change, low, high, level, at_most, mean_change, tau,"
	            " floor, layouts, boots, invalid_boots, runs, skewed, needed, verdict, why,"
	            " last_boot, env_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
	            "?12, ?13,"
	            " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)");

	db_bind_int(q, 1, c->submission);
	db_bind_int(q, 2, (int64_t)pos);
	db_bind_text(q, 3, c->board[x->board].name);
	db_bind_text(q, 4, c->case_[x->case_]);
	db_bind_text(q, 5, c->metric[x->metric].name);
	db_bind_text(q, 6, c->kernel[x->kernel].name);
	bind_num(q, 7, x->mean);
	bind_num(q, 8, x->base_mean);
	bind_num(q, 9, x->std_rel);
	bind_num(q, 10, x->change);
	bind_num(q, 11, x->low);
	bind_num(q, 12, x->high);
	bind_num(q, 13, x->level);
	bind_num(q, 14, x->at_most);
	bind_num(q, 15, x->mean_change);
	bind_num(q, 16, x->tau);
	bind_num(q, 17, x->floor);
	db_bind_int(q, 18, x->layouts);
	db_bind_int(q, 19, x->boots);
	db_bind_int(q, 20, x->invalid_boots);
	db_bind_int(q, 21, x->runs);
	db_bind_int(q, 22, x->skewed);
	bind_opt(q, 23, x->needed < 0 ? NONE : x->needed);
	db_bind_text(q, 24, verdict_name(x->verdict));
	db_bind_text(q, 25, x->why);
	db_bind_int(q, 26, c->last_fact);
	db_bind_text(q, 27, c->board[x->board].env_id);
	return db_run(q, w);
}

static enum err add_thrown(struct db *db, const struct cmp *c, size_t pos, struct why *w)
{
	const struct cmp_thrown *t = &c->thrown[pos];
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO cell_thrown (submission_id, pos, board, kernel, boot_id, phase,"
	            " why, signature, last_boot) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?9, ?8)");

	db_bind_int(q, 1, c->submission);
	db_bind_int(q, 2, (int64_t)pos);
	db_bind_text(q, 3, c->board[t->board].name);
	db_bind_text(q, 4, c->kernel[t->kernel].name);
	db_bind_int(q, 5, t->boot);
	db_bind_int(q, 6, t->phase);
	db_bind_text(q, 7, t->why);
	db_bind_int(q, 8, c->last_fact);
	db_bind_text(q, 9, t->signature);
	return db_run(q, w);
}

static enum err add_known(struct db *db, const struct cmp *c, size_t pos, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO boot_known (submission_id, boot_id,"
	                                   " known_id, last_boot) VALUES (?1, ?2, ?3, ?4)"
	                                   " ON CONFLICT DO NOTHING"); /* another name */

	db_bind_int(q, 1, c->submission);
	db_bind_int(q, 2, c->known[pos].boot);
	db_bind_int(q, 3, c->known[pos].id);
	db_bind_int(q, 4, c->last_fact);
	return db_run(q, w);
}

static enum err add_note(struct db *db, const struct cmp *c, size_t pos, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO cell_note (submission_id, pos, text,"
	                                   " last_boot) VALUES (?1, ?2, ?3, ?4)");

	db_bind_int(q, 1, c->submission);
	db_bind_int(q, 2, (int64_t)pos);
	db_bind_text(q, 3, c->note[pos]);
	db_bind_int(q, 4, c->last_fact);
	return db_run(q, w);
}

static enum err add_void(struct db *db, const struct cmp *c, const struct boot_void *v,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO boot_void (submission_id, boot_id, why,"
	                                   " last_boot) VALUES (?1, ?2, ?3, ?4)");

	db_bind_int(q, 1, c->submission);
	db_bind_int(q, 2, v->boot);
	db_bind_text(q, 3, v->why);
	db_bind_int(q, 4, c->last_fact);
	return db_run(q, w);
}

enum err store_cmp_save(struct db *db, const struct cmp *c, const struct boot_voids *voids,
                        const char *body, struct why *w)
{
	static const char *const tables[] = {
	        "DELETE FROM cell WHERE submission_id = ?1",
	        "DELETE FROM cell_thrown WHERE submission_id = ?1",
	        "DELETE FROM cell_note WHERE submission_id = ?1",
	        "DELETE FROM cell_across WHERE submission_id = ?1",
	        "DELETE FROM boot_void WHERE submission_id = ?1",
	        "DELETE FROM boot_known WHERE submission_id = ?1",
	        "DELETE FROM cell_covariate WHERE submission_id = ?1",
	};
	struct db_stmt *q;
	enum err e = OK;
	size_t i;

	for (i = 0; e == OK && i < ARRAY_SIZE(tables); i++)
		e = drop(db, tables[i], c->submission, w);
	for (i = 0; e == OK && i < c->cells; i++)
		e = add_cell(db, c, i, w);
	for (i = 0; e == OK && i < c->throwns; i++)
		e = add_thrown(db, c, i, w);
	for (i = 0; e == OK && i < c->acrosses; i++)
		e = store_across_add(db, c, i, w);
	for (i = 0; e == OK && i < c->covariates; i++)
		e = store_covariate_add(db, c, i, w);
	for (i = 0; e == OK && i < c->notes; i++)
		e = add_note(db, c, i, w);
	for (i = 0; e == OK && i < c->knowns; i++)
		e = add_known(db, c, i, w);
	for (i = 0; e == OK && i < voids->count; i++)
		e = add_void(db, c, &voids->at[i], w);
	if (e != OK)
		return e;
	q = db_prepare(db, "INSERT INTO comparison (submission_id, last_boot, complete, body,"
	                   " last_known) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (submission_id)"
	                   " DO UPDATE SET last_boot = ?2, complete = ?3, body = ?4,"
	                   " last_known = ?5");
	db_bind_int(q, 1, c->submission);
	db_bind_int(q, 2, c->last_fact);
	db_bind_int(q, 3, c->complete);
	db_bind_text(q, 4, body);
	db_bind_int(q, 5, c->last_known);
	return db_run(q, w);
}

enum err store_cmp_body(struct db *db, int64_t submission, struct buf *out, bool *found,
                        struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT body FROM comparison WHERE submission_id = ?1");
	enum err e;

	db_bind_int(q, 1, submission);
	e = db_step(q, w);
	*found = e == OK && db_has_row(q);
	if (*found)
		buf_adds(out, db_text(q, 0));
	db_done(q);
	return e;
}

static void load_cell(struct db_stmt *q, struct cmp *c)
{
	const char *why = db_text(q, 22);
	struct cmp_cell *x =
	        cmp_add_cell(c, cmp_add_board(c, db_text(q, 0)), cmp_add_case(c, db_text(q, 1)),
	                     cmp_add_metric(c, db_text(q, 2)), cmp_add_kernel(c, db_text(q, 3)));

	x->mean = opt_num(q, 4);
	x->base_mean = opt_num(q, 5);
	x->std_rel = opt_num(q, 6);
	x->change = opt_num(q, 7);
	x->low = opt_num(q, 8);
	x->high = opt_num(q, 9);
	x->level = opt_num(q, 10);
	x->at_most = opt_num(q, 11);
	x->mean_change = opt_num(q, 12);
	x->tau = opt_num(q, 13);
	x->floor = opt_num(q, 14);
	x->layouts = (unsigned int)db_int(q, 15);
	x->boots = db_int(q, 16);
	x->invalid_boots = db_int(q, 17);
	x->runs = db_int(q, 18);
	x->skewed = db_int(q, 19) != 0;
	x->needed = db_is_null(q, 20) ? -1 : (long)db_int(q, 20);
	if (!verdict_parse(db_text(q, 21), &x->verdict))
		x->verdict = VERDICT_INVALID;
	x->why = why ? xstrdup(why) : NULL;
}

static enum err load_thrown(struct db *db, struct cmp *c, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT board, kernel, boot_id, phase, why, signature FROM cell_thrown"
	            " WHERE submission_id = ?1 ORDER BY pos");
	enum err e;

	db_bind_int(q, 1, c->submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct cmp_thrown *t = cmp_add_thrown(c, cmp_add_board(c, db_text(q, 0)),
		                                      cmp_add_kernel(c, db_text(q, 1)),
		                                      db_int(q, 2), db_int(q, 3), db_text(q, 4));

		t->signature = db_is_null(q, 5) ? NULL : xstrdup(db_text(q, 5));
	}
	db_done(q);
	return e;
}

/* With every name that the submission has for the boot's kernel. */
static enum err load_knowns(struct db *db, struct cmp *c, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT b.board, s.name, n.boot_id, k.id, k.signature, k.why, k.until_ms"
	            " FROM boot_known n JOIN boot b ON b.id = n.boot_id JOIN known_fault k"
	            " ON k.id = n.known_id JOIN submission_kernel s ON s.submission_id ="
	            " n.submission_id AND s.kernel_id = b.kernel_id WHERE n.submission_id = ?1"
	            " ORDER BY n.boot_id, k.id, s.pos");
	enum err e;

	db_bind_int(q, 1, c->submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct cmp_known *k = cmp_add_known(c, cmp_add_board(c, db_text(q, 0)),
		                                    cmp_add_kernel(c, db_text(q, 1)), db_int(q, 2));

		k->id = db_int(q, 3);
		k->signature = xstrdup(db_text(q, 4));
		k->why = xstrdup(db_text(q, 5));
		k->until_ms = db_int(q, 6);
	}
	db_done(q);
	return e;
}

static enum err load_notes(struct db *db, struct cmp *c, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT text FROM cell_note WHERE submission_id = ?1 ORDER BY pos");
	enum err e;

	db_bind_int(q, 1, c->submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		cmp_add_note(c, "%s", db_text(q, 0));
	db_done(q);
	return e;
}

enum err store_cmp_load(struct db *db, struct cmp *c, bool *found, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "SELECT last_boot, complete, last_known FROM comparison WHERE submission_id = ?1");
	enum err e;

	db_bind_int(q, 1, c->submission);
	e = db_step(q, w);
	*found = e == OK && db_has_row(q);
	if (*found) {
		c->last_fact = db_int(q, 0);
		c->complete = db_int(q, 1) != 0;
		c->last_known = db_int(q, 2);
	}
	db_done(q);
	if (e != OK || !*found)
		return e;
	q = db_prepare(db, "SELECT board, case_text, metric, kernel, mean, base_mean, std_rel,"
	                   " change, low, high, level, at_most, mean_change, tau, floor, layouts,"
	                   " boots, invalid_boots, runs, skewed, needed, verdict, why FROM cell"
	                   " WHERE submission_id = ?1 ORDER BY pos");
	db_bind_int(q, 1, c->submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		load_cell(q, c);
	db_done(q);
	if (e == OK)
		e = load_thrown(db, c, w);
	if (e == OK)
		e = store_across_load(db, c, w);
	if (e == OK)
		e = load_knowns(db, c, w);
	if (e == OK)
		e = store_covariate_load(db, c, w);
	return e == OK ? load_notes(db, c, w) : e;
}

enum err store_cmp_clear(struct db *db, struct why *w)
{
	static const char *const tables[] = {
	        "DELETE FROM cell",       "DELETE FROM cell_thrown",    "DELETE FROM cell_note",
	        "DELETE FROM boot_void",  "DELETE FROM comparison",     "DELETE FROM cell_across",
	        "DELETE FROM boot_known", "DELETE FROM cell_covariate",
	};
	enum err e = OK;
	size_t i;

	for (i = 0; e == OK && i < ARRAY_SIZE(tables); i++)
		e = db_run(db_prepare(db, tables[i]), w);
	return e;
}

enum err store_cmp_stale(struct db *db, struct pool *p, struct ids *out, struct why *w)
{
	/* Each part walks an index of few rows, however many submissions there were. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT s.id FROM submission s WHERE s.ended_ms IS NULL AND s.planned = 1"
	            " AND (NOT EXISTS (SELECT 1 FROM job j WHERE j.submission_id = s.id"
	            " AND j.state IN ('queued', 'leased')) OR (SELECT max(b.boot_id)"
	            " FROM submission_boot b WHERE b.submission_id = s.id) > coalesce((SELECT"
	            " c.last_boot FROM comparison c WHERE c.submission_id = s.id), 0))"
	            " UNION SELECT c.submission_id FROM comparison c JOIN submission s"
	            " ON s.id = c.submission_id WHERE c.complete = 0"
	            " AND s.state IN ('done', 'failed')"
	            " UNION SELECT c.submission_id FROM comparison c WHERE c.last_known < 0"
	            " UNION SELECT s.id FROM submission s WHERE s.state = 'failed' AND NOT EXISTS"
	            " (SELECT 1 FROM comparison c WHERE c.submission_id = s.id) ORDER BY 1");

	return read_ids(q, p, out, w);
}
