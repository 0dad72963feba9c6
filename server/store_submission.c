/* store_submission.c - SQL for submissions. */
#include "server/store_submission.h"

#include "server/store_kernel.h"

#define SUB_COLUMNS                                                                            \
	"id, submitter, idem_key, content_hash, title, baseline, threshold, priority, reuse, " \
	"boots, runs, iterations, warmup, plan, memory_bytes, imported, state, why, planned, " \
	"created_ms, ended_ms, across, layouts, asked_boots, rebuild, part_of"

static void sub_row(struct db_stmt *q, struct pool *p, struct sub *s)
{
	s->id = db_int(q, 0);
	s->submitter = col_str(q, 1, p);
	s->idem_key = col_str(q, 2, p);
	s->content_hash = col_str(q, 3, p);
	s->title = col_str(q, 4, p);
	s->baseline = db_int(q, 5);
	s->threshold = opt_num(q, 6);
	s->priority = db_int(q, 7);
	s->reuse = db_int(q, 8) != 0;
	s->boots = opt_int(q, 9);
	s->runs = db_int(q, 10);
	s->iterations = db_int(q, 11);
	s->warmup = db_int(q, 12);
	s->plan = col_str(q, 13, p);
	s->memory_bytes = db_int(q, 14);
	s->imported = db_int(q, 15) != 0;
	s->state = col_str(q, 16, p);
	s->why = col_str(q, 17, p);
	s->planned = db_int(q, 18) != 0;
	s->created_ms = db_int(q, 19);
	s->ended_ms = opt_int(q, 20);
	s->across = db_int(q, 21) != 0;
	s->layouts = db_int(q, 22);
	s->asked_boots = db_int(q, 23);
	s->rebuild = db_int(q, 24) != 0;
	s->part_of = opt_int(q, 25);
}

enum err store_sub_add(struct db *db, const struct sub *s, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO submission (submitter, idem_key, content_hash, title, baseline,"
	            " threshold, priority, reuse, boots, runs, iterations, warmup, plan,"
	            " memory_bytes, imported, state, why, planned, created_ms, ended_ms, across,"
	            " layouts, asked_boots, rebuild, part_of)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
	            " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25) RETURNING id");

	db_bind_text(q, 1, s->submitter);
	db_bind_text(q, 2, s->idem_key);
	db_bind_text(q, 3, s->content_hash);
	db_bind_text(q, 4, s->title);
	db_bind_int(q, 5, s->baseline);
	bind_num(q, 6, s->threshold);
	db_bind_int(q, 7, s->priority);
	db_bind_int(q, 8, s->reuse);
	bind_opt(q, 9, s->boots);
	db_bind_int(q, 10, s->runs);
	db_bind_int(q, 11, s->iterations);
	db_bind_int(q, 12, s->warmup);
	db_bind_text(q, 13, s->plan);
	db_bind_int(q, 14, s->memory_bytes);
	db_bind_int(q, 15, s->imported);
	db_bind_text(q, 16, s->state);
	db_bind_text(q, 17, s->why);
	db_bind_int(q, 18, s->planned);
	db_bind_int(q, 19, s->created_ms);
	bind_opt(q, 20, s->ended_ms);
	db_bind_int(q, 21, s->across);
	db_bind_int(q, 22, s->layouts);
	db_bind_int(q, 23, s->asked_boots);
	db_bind_int(q, 24, s->rebuild);
	bind_opt(q, 25, s->part_of);
	return db_run_int(q, id, w);
}

enum err store_sub_get(struct db *db, int64_t id, struct pool *p, struct sub *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT " SUB_COLUMNS " FROM submission WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		sub_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no submission %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_sub_by_key(struct db *db, const char *submitter, const char *key, struct pool *p,
                          int64_t *id, const char **content_hash, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT id, content_hash FROM submission"
	                                   " WHERE submitter = ?1 AND idem_key = ?2");
	enum err e;

	*id = NONE;
	db_bind_text(q, 1, submitter);
	db_bind_text(q, 2, key);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		*id = db_int(q, 0);
		*content_hash = col_str(q, 1, p);
	}
	db_done(q);
	return e;
}

enum err store_sub_list(struct db *db, int64_t before, int64_t limit, struct pool *p,
                        struct sub_list *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT " SUB_COLUMNS " FROM submission WHERE id < ?1"
	                                   " ORDER BY id DESC LIMIT ?2");
	enum err e;

	db_bind_int(q, 1, before);
	db_bind_int(q, 2, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		sub_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_sub_latest(struct db *db, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT s.id FROM submission s JOIN comparison c ON c.submission_id = s.id"
	            " WHERE s.state = 'done' AND c.complete = 1 ORDER BY s.id DESC LIMIT 1");

	return read_id(q, id, w);
}

enum err store_sub_open(struct db *db, struct pool *p, struct ids *out, struct why *w)
{
	return read_ids(
	        db_prepare(db, "SELECT id FROM submission WHERE ended_ms IS NULL ORDER BY id"), p,
	        out, w);
}

enum err store_sub_all(struct db *db, struct pool *p, struct ids *out, struct why *w)
{
	return read_ids(
	        db_prepare(db, "SELECT id FROM submission WHERE planned = 1 OR ended_ms IS NOT NULL"
	                       " ORDER BY id"),
	        p, out, w);
}

enum err store_sub_state(struct db *db, int64_t id, const char *state, const char *why,
                         int64_t ended_ms, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "UPDATE submission SET state = ?2, why = ?3, ended_ms = ?4"
	                       " WHERE id = ?1 AND ended_ms IS NULL");

	db_bind_int(q, 1, id);
	db_bind_text(q, 2, state);
	db_bind_text(q, 3, why);
	bind_opt(q, 4, ended_ms);
	return db_run(q, w);
}

enum err store_sub_set_planned(struct db *db, int64_t id, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE submission SET planned = 1 WHERE id = ?1");

	db_bind_int(q, 1, id);
	return db_run(q, w);
}

/* ---- kernels of a submission */

enum err store_sub_kernel_add(struct db *db, int64_t sub, const struct sub_kernel *k, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO submission_kernel (submission_id, pos, name, tree, ref,"
	            " config_sha256, config_name, config_whole, toolchain, image, commit_id,"
	            " subject, kernel_id, state, why, validates, patches, built_only, source,"
	            " base_of)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
	            " ?16, ?17, ?18, ?19, ?20)");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, k->pos);
	db_bind_text(q, 3, k->name);
	db_bind_text(q, 4, k->tree);
	db_bind_text(q, 5, k->ref);
	db_bind_text(q, 6, k->config_sha256);
	db_bind_text(q, 7, k->config_name);
	db_bind_int(q, 8, k->config_whole);
	db_bind_text(q, 9, k->toolchain);
	db_bind_text(q, 10, k->image);
	db_bind_text(q, 11, k->commit);
	db_bind_text(q, 12, k->subject);
	bind_opt(q, 13, k->kernel_id);
	db_bind_text(q, 14, k->state);
	db_bind_text(q, 15, k->why);
	bind_opt(q, 16, k->validates);
	db_bind_int(q, 17, k->patches);
	db_bind_int(q, 18, k->built_only);
	db_bind_text(q, 19, k->source);
	db_bind_text(q, 20, k->base_of);
	return db_run(q, w);
}

enum which { COMPARED = 1, VALIDATING = 2, BUILT = 4 };

/* Of the track that the submission, or what it is a part of, was asked for by; NULL: none. */
static enum err branch_of(struct db *db, int64_t sub, struct pool *p, const char **branch,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "WITH RECURSIVE up (id) AS (SELECT ?1 UNION ALL SELECT s.part_of FROM up"
	            " JOIN submission s ON s.id = up.id WHERE s.part_of IS NOT NULL)"
	            " SELECT t.branch, 0 AS way FROM up JOIN track_point x"
	            " ON x.submission_id = up.id JOIN track t ON t.id = x.track_id"
	            " UNION ALL SELECT t.branch, 1 FROM up JOIN track_point x"
	            " ON x.release_id = up.id JOIN track t ON t.id = x.track_id"
	            " ORDER BY way LIMIT 1");
	enum err e;

	db_bind_int(q, 1, sub);
	e = db_step(q, w);
	*branch = e == OK && db_has_row(q) ? col_str(q, 0, p) : NULL;
	db_done(q);
	return e;
}

static enum err kernels_of(struct db *db, int64_t sub, int which, struct pool *p,
                           struct sub_kernels *out, struct why *w)
{
	const char *branch;
	struct db_stmt *q;
	enum err e = branch_of(db, sub, p, &branch, w);

	if (e != OK)
		return e;
	q = db_prepare(
	        db,
	        "SELECT s.pos, s.name, s.tree, s.ref, s.config_sha256, s.config_name,"
	        " s.config_whole, s.toolchain, s.image, s.commit_id, s.subject, s.kernel_id,"
	        " s.state, s.why, k.state, " KERNEL_BUILD_ID(
	                "k") ", k.image, s.validates, s.patches, s.built_only, s.source,"
	                     " k.section_hash, s.base_of, s.searched"
	                     " FROM submission_kernel s LEFT JOIN kernel k ON k.id = s.kernel_id"
	                     " WHERE s.submission_id = ?1 AND"
	                     " ((?2 = 1 AND s.validates IS NULL AND s.built_only = 0) OR"
	                     " (?3 = 1 AND s.validates IS NOT NULL) OR"
	                     " (?4 = 1 AND s.built_only = 1))"
	                     " ORDER BY CASE WHEN ?3 + ?4 = 0 THEN s.patches ELSE 0 END, s.pos");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, (which & COMPARED) != 0);
	db_bind_int(q, 3, (which & VALIDATING) != 0);
	db_bind_int(q, 4, (which & BUILT) != 0);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct sub_kernel *k =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		k->pos = db_int(q, 0);
		k->name = col_str(q, 1, p);
		k->tree = col_str(q, 2, p);
		k->ref = col_str(q, 3, p);
		k->config_sha256 = col_str(q, 4, p);
		k->config_name = col_str(q, 5, p);
		k->config_whole = db_int(q, 6) != 0;
		k->toolchain = col_str(q, 7, p);
		k->image = col_str(q, 8, p);
		k->commit = col_str(q, 9, p);
		k->subject = col_str(q, 10, p);
		k->kernel_id = opt_int(q, 11);
		k->state = col_str(q, 12, p);
		k->why = col_str(q, 13, p);
		k->kernel_state = col_str(q, 14, p);
		k->build_id = col_str(q, 15, p);
		k->kernel_image = col_str(q, 16, p);
		k->validates = opt_int(q, 17);
		k->patches = db_int(q, 18);
		k->built_only = db_int(q, 19) != 0;
		k->source = col_str(q, 20, p);
		k->section_hash = col_str(q, 21, p);
		k->base_of = col_str(q, 22, p);
		k->branch = branch ? branch : k->ref;
		k->searched = db_int(q, 23) != 0;
	}
	db_done(q);
	return e;
}

enum err store_sub_kernels(struct db *db, int64_t sub, struct pool *p, struct sub_kernels *out,
                           struct why *w)
{
	return kernels_of(db, sub, COMPARED, p, out, w);
}

enum err store_sub_built_only(struct db *db, int64_t sub, struct pool *p, struct sub_kernels *out,
                              struct why *w)
{
	return kernels_of(db, sub, BUILT, p, out, w);
}

enum err store_sub_validators(struct db *db, int64_t sub, struct pool *p, struct sub_kernels *out,
                              struct why *w)
{
	return kernels_of(db, sub, VALIDATING, p, out, w);
}

enum err store_sub_all_kernels(struct db *db, int64_t sub, struct pool *p, struct sub_kernels *out,
                               struct why *w)
{
	return kernels_of(db, sub, COMPARED | VALIDATING | BUILT, p, out, w);
}

size_t sub_kernel_at(const struct sub_kernels *k, int64_t pos)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->at[i].pos == pos)
			return i;
	err_bug("there is no kernel at position %lld", (long long)pos);
}

enum err store_sub_kernel_set(struct db *db, int64_t sub, int64_t pos, const char *state,
                              const char *why, const char *commit, const char *subject,
                              int64_t kernel_id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "UPDATE submission_kernel SET state = ?3, why = ?4,"
	            " commit_id = coalesce(?5, commit_id), subject = coalesce(?6, subject),"
	            " kernel_id = coalesce(?7, kernel_id) WHERE submission_id = ?1 AND pos = ?2");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, pos);
	db_bind_text(q, 3, state);
	db_bind_text(q, 4, why);
	db_bind_text(q, 5, commit);
	db_bind_text(q, 6, subject);
	bind_opt(q, 7, kernel_id);
	return db_run(q, w);
}

enum err store_sub_kernel_known(struct db *db, int64_t sub, int64_t pos, const char *commit,
                                const char *subject, const char *source, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE submission_kernel SET state = 'resolving',"
	                                   " why = NULL, commit_id = ?3, subject = ?4, source = ?5"
	                                   " WHERE submission_id = ?1 AND pos = ?2");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, pos);
	db_bind_text(q, 3, commit);
	db_bind_text(q, 4, subject);
	db_bind_text(q, 5, source);
	return db_run(q, w);
}

enum err store_sub_of_kernel(struct db *db, int64_t kernel, struct pool *p, struct ids *out,
                             struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT s.id FROM submission s WHERE s.ended_ms IS NULL AND s.id IN"
	                       " (SELECT submission_id FROM submission_kernel WHERE kernel_id = ?1"
	                       " UNION SELECT submission_id FROM submission_layout"
	                       " WHERE kernel_id = ?1) ORDER BY s.id");

	db_bind_int(q, 1, kernel);
	return read_ids(q, p, out, w);
}

/* ---- boards, cases, config texts */

enum err store_sub_board_add(struct db *db, int64_t sub, int64_t pos, const char *board,
                             struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO submission_board (submission_id, pos, board)"
	                       " VALUES (?1, ?2, ?3)");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, pos);
	db_bind_text(q, 3, board);
	return db_run(q, w);
}

static enum err read_texts(struct db_stmt *q, struct pool *p, struct texts *out, struct ids *ids,
                           struct why *w)
{
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		*(const char **)pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)) =
		        col_str(q, 0, p);
		if (ids)
			*(int64_t *)pool_push(p, (void **)&ids->at, &ids->count, sizeof(*ids->at)) =
			        db_int(q, 1);
	}
	db_done(q);
	return e;
}

enum err store_sub_boards(struct db *db, int64_t sub, struct pool *p, struct texts *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT board FROM submission_board"
	                                   " WHERE submission_id = ?1 ORDER BY pos");

	db_bind_int(q, 1, sub);
	return read_texts(q, p, out, NULL, w);
}

enum err store_case_id(struct db *db, const char *text, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT id FROM bench_case WHERE text = ?1");
	enum err e;

	db_bind_text(q, 1, text);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		*id = db_int(q, 0);
		db_done(q);
		return OK;
	}
	db_done(q);
	if (e != OK)
		return e;
	q = db_prepare(db, "INSERT INTO bench_case (text) VALUES (?1) RETURNING id");
	db_bind_text(q, 1, text);
	return db_run_int(q, id, w);
}

enum err store_sub_case_add(struct db *db, int64_t sub, int64_t case_id, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO submission_case (submission_id, pos, case_id)"
	                       " SELECT ?1, coalesce(max(pos) + 1, 0), ?2 FROM submission_case"
	                       " WHERE submission_id = ?1 ON CONFLICT DO NOTHING");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, case_id);
	return db_run(q, w);
}

enum err store_sub_cases(struct db *db, int64_t sub, struct pool *p, struct texts *out,
                         struct ids *ids, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT c.text, c.id FROM submission_case s JOIN bench_case c"
	                       " ON c.id = s.case_id WHERE s.submission_id = ?1 ORDER BY s.pos");

	db_bind_int(q, 1, sub);
	return read_texts(q, p, out, ids, w);
}

enum err store_config_put(struct db *db, const char *sha256, const char *text, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO config_text (sha256, text) VALUES (?1, ?2)"
	                                   " ON CONFLICT DO NOTHING");

	db_bind_text(q, 1, sha256);
	db_bind_text(q, 2, text);
	return db_run(q, w);
}

enum err store_config_get(struct db *db, const char *sha256, struct pool *p, const char **text,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT text FROM config_text WHERE sha256 = ?1");
	enum err e;

	db_bind_text(q, 1, sha256);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*text = col_str(q, 0, p);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no config \"%s\"", sha256);
	db_done(q);
	return e;
}
