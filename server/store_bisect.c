/* store_bisect.c - SQL for bisections. */
#include "server/store_bisect.h"

#include "lib/mem.h"

/* ---- bisections */

enum err store_bisect_add(struct db *db, const struct bisection *b, int64_t *id, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO bisection (alert_id, state, why, by_whom, tree, good, bad, board,"
	            " case_text, metric, walk_id, omitted, created_ms, ended_ms)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
	            " RETURNING id");

	db_bind_int(q, 1, b->alert);
	db_bind_text(q, 2, b->state);
	db_bind_text(q, 3, b->why);
	db_bind_text(q, 4, b->by);
	db_bind_text(q, 5, b->tree);
	db_bind_text(q, 6, b->good);
	db_bind_text(q, 7, b->bad);
	db_bind_text(q, 8, b->board);
	db_bind_text(q, 9, b->case_text);
	db_bind_text(q, 10, b->metric);
	bind_opt(q, 11, b->walk);
	db_bind_int(q, 12, b->omitted);
	db_bind_int(q, 13, b->created_ms);
	bind_opt(q, 14, b->ended_ms);
	return db_run_int(q, id, w);
}

enum err store_bisect_save(struct db *db, const struct bisection *b, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "UPDATE bisection SET state = ?2, why = ?3, good = ?4, walk_id = ?5,"
	            " omitted = ?6, submission_id = ?7, tries = ?8, next_ms = ?9, ends_id = ?10,"
	            " proof_id = ?11, good_binary = ?12, bad_binary = ?13, need = ?14, rate = ?15,"
	            " shared = ?16, first = ?17, culprit = ?18, confidence = ?19, step_id = ?20,"
	            " ended_ms = ?21 WHERE id = ?1");

	db_bind_int(q, 1, b->id);
	db_bind_text(q, 2, b->state);
	db_bind_text(q, 3, b->why);
	db_bind_text(q, 4, b->good);
	bind_opt(q, 5, b->walk);
	db_bind_int(q, 6, b->omitted);
	bind_opt(q, 7, b->submission);
	db_bind_int(q, 8, b->tries);
	db_bind_int(q, 9, b->next_ms);
	bind_opt(q, 10, b->ends);
	bind_opt(q, 11, b->proof);
	db_bind_text(q, 12, b->good_binary);
	db_bind_text(q, 13, b->bad_binary);
	bind_opt(q, 14, b->need);
	bind_num(q, 15, b->rate);
	db_bind_int(q, 16, b->shared);
	bind_opt(q, 17, b->first);
	bind_opt(q, 18, b->culprit);
	bind_num(q, 19, b->confidence);
	bind_opt(q, 20, b->step);
	bind_opt(q, 21, b->ended_ms);
	return db_run(q, w);
}

#define BISECTION                                                                            \
	"SELECT id, alert_id, state, why, by_whom, tree, good, bad, board, case_text,"       \
	" metric, walk_id, omitted, submission_id, tries, next_ms, ends_id, proof_id,"       \
	" good_binary, bad_binary, need, rate, shared, first, culprit, confidence, step_id," \
	" created_ms, ended_ms FROM bisection"

static void row(struct db_stmt *q, struct pool *p, struct bisection *b)
{
	*b = (struct bisection){.id = db_int(q, 0),
	                        .alert = db_int(q, 1),
	                        .state = col_str(q, 2, p),
	                        .why = col_str(q, 3, p),
	                        .by = col_str(q, 4, p),
	                        .tree = col_str(q, 5, p),
	                        .good = col_str(q, 6, p),
	                        .bad = col_str(q, 7, p),
	                        .board = col_str(q, 8, p),
	                        .case_text = col_str(q, 9, p),
	                        .metric = col_str(q, 10, p),
	                        .walk = opt_int(q, 11),
	                        .omitted = db_int(q, 12),
	                        .submission = opt_int(q, 13),
	                        .tries = db_int(q, 14),
	                        .next_ms = db_int(q, 15),
	                        .ends = opt_int(q, 16),
	                        .proof = opt_int(q, 17),
	                        .good_binary = col_str(q, 18, p),
	                        .bad_binary = col_str(q, 19, p),
	                        .need = opt_int(q, 20),
	                        .rate = opt_num(q, 21),
	                        .shared = db_int(q, 22) != 0,
	                        .first = opt_int(q, 23),
	                        .culprit = opt_int(q, 24),
	                        .confidence = opt_num(q, 25),
	                        .step = opt_int(q, 26),
	                        .created_ms = db_int(q, 27),
	                        .ended_ms = opt_int(q, 28)};
}

enum err store_bisect_get(struct db *db, int64_t id, struct pool *p, struct bisection *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(db, BISECTION " WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no bisection %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_bisect_of_alert(struct db *db, int64_t alert, struct pool *p, struct bisection *out,
                               struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, BISECTION " WHERE alert_id = ?1 ORDER BY id DESC LIMIT 1");
	enum err e;

	*out = (struct bisection){0};
	db_bind_int(q, 1, alert);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		row(q, p, out);
	db_done(q);
	return e;
}

static enum err load_commits(struct db *db, struct bisection *b, struct pool *p, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT commit_id, subject, author, weight, answer,"
	                                   " binary FROM bisection_commit WHERE bisection_id = ?1"
	                                   " ORDER BY position");
	enum err e;

	db_bind_int(q, 1, b->id);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct bisection_commit *)pool_push(p, (void **)&b->commit, &b->commits,
		                                      sizeof(*b->commit)) =
		        (struct bisection_commit){.commit = col_str(q, 0, p),
		                                  .subject = col_str(q, 1, p),
		                                  .author = col_str(q, 2, p),
		                                  .weight = db_real(q, 3),
		                                  .answer = col_str(q, 4, p),
		                                  .binary = col_str(q, 5, p)};
	db_done(q);
	return e;
}

enum err store_bisect_load(struct db *db, struct bisection *b, struct pool *p, struct why *w)
{
	struct db_stmt *q;
	enum err e = load_commits(db, b, p, w);

	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT number, position, submission_id, asked, outcome, midway, boots,"
	                   " used, llr, level, spread, why, begun_ms, ended_ms FROM bisection_step"
	                   " WHERE bisection_id = ?1 ORDER BY number");
	db_bind_int(q, 1, b->id);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct bisection_step *)pool_push(p, (void **)&b->at, &b->steps, sizeof(*b->at)) =
		        (struct bisection_step){.number = db_int(q, 0),
		                                .position = db_int(q, 1),
		                                .submission = opt_int(q, 2),
		                                .asked = db_int(q, 3),
		                                .outcome = col_str(q, 4, p),
		                                .midway = db_int(q, 5) != 0,
		                                .boots = db_int(q, 6),
		                                .used = opt_int(q, 7),
		                                .llr = opt_num(q, 8),
		                                .level = opt_num(q, 9),
		                                .spread = opt_num(q, 10),
		                                .why = col_str(q, 11, p),
		                                .begun_ms = db_int(q, 12),
		                                .ended_ms = opt_int(q, 13)};
	db_done(q);
	return e;
}

enum err store_bisect_commits(struct db *db, const struct bisection *b, struct why *w)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < b->commits; i++) {
		struct db_stmt *q =
		        db_prepare(db, "INSERT INTO bisection_commit (bisection_id, position,"
		                       " commit_id, subject, author, weight)"
		                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

		db_bind_int(q, 1, b->id);
		db_bind_int(q, 2, (int64_t)i + 1);
		db_bind_text(q, 3, b->commit[i].commit);
		db_bind_text(q, 4, b->commit[i].subject);
		db_bind_text(q, 5, b->commit[i].author);
		db_bind_real(q, 6, b->commit[i].weight);
		e = db_run(q, w);
	}
	return e;
}

enum err store_bisect_answer(struct db *db, int64_t bisection, int64_t position,
                             const struct bisection_commit *c, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE bisection_commit SET answer = ?3, binary = ?4"
	                                   " WHERE bisection_id = ?1 AND position = ?2");

	db_bind_int(q, 1, bisection);
	db_bind_int(q, 2, position);
	db_bind_text(q, 3, c->answer);
	db_bind_text(q, 4, c->binary);
	return db_run(q, w);
}

enum err store_bisect_step(struct db *db, int64_t bisection, const struct bisection_step *s,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "INSERT INTO bisection_step (bisection_id, number, position, submission_id,"
	        " asked, outcome, midway, boots, used, llr, level, spread, why, begun_ms,"
	        " ended_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
	        " ?14, ?15) ON CONFLICT (bisection_id, number) DO UPDATE SET submission_id = ?4,"
	        " asked = ?5, outcome = ?6, midway = ?7, boots = ?8, used = ?9, llr = ?10,"
	        " level = ?11, spread = ?12, why = ?13, ended_ms = ?15");

	db_bind_int(q, 1, bisection);
	db_bind_int(q, 2, s->number);
	db_bind_int(q, 3, s->position);
	bind_opt(q, 4, s->submission);
	db_bind_int(q, 5, s->asked);
	db_bind_text(q, 6, s->outcome);
	db_bind_int(q, 7, s->midway);
	db_bind_int(q, 8, s->boots);
	bind_opt(q, 9, s->used);
	bind_num(q, 10, s->llr);
	bind_num(q, 11, s->level);
	bind_num(q, 12, s->spread);
	db_bind_text(q, 13, s->why);
	db_bind_int(q, 14, s->begun_ms);
	bind_opt(q, 15, s->ended_ms);
	return db_run(q, w);
}

/* ---- what is next */

/* A submission of which no comparison is stored yet is not read: faults may have no places. */
enum err store_bisect_due(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT b.id FROM bisection b WHERE b.ended_ms IS NULL AND b.next_ms <= ?1"
	            " AND (CASE WHEN b.state = 'walking' THEN EXISTS (SELECT 1 FROM walk k"
	            " WHERE k.id = b.walk_id AND k.state <> 'asked')"
	            " ELSE b.submission_id IS NULL OR EXISTS (SELECT 1 FROM submission s"
	            " LEFT JOIN comparison c ON c.submission_id = s.id WHERE s.id = b.submission_id"
	            " AND s.ended_ms IS NOT NULL AND (s.state = 'cancelled' OR (s.state = 'done'"
	            " AND s.planned = 0) OR c.complete = 1)) END)"
	            " ORDER BY b.next_ms, b.id");

	db_bind_int(q, 1, now_ms);
	return read_ids(q, p, out, w);
}

enum err store_bisect_of_walk(struct db *db, int64_t walk, struct pool *p, struct ids *out,
                              struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT id FROM bisection WHERE ended_ms IS NULL"
	                                   " AND state = 'walking' AND walk_id = ?1 ORDER BY id");

	db_bind_int(q, 1, walk);
	return read_ids(q, p, out, w);
}

enum err store_bisect_wanted(struct db *db, struct pool *p, struct ids *out, struct why *w)
{
	return read_ids(
	        db_prepare(db,
	                   "SELECT a.id FROM alert a WHERE a.state IN ('new', 'confirmed',"
	                   " 'acknowledged') AND EXISTS (SELECT 1 FROM track_point t"
	                   " WHERE t.submission_id = a.submission_id) AND NOT EXISTS"
	                   " (SELECT 1 FROM bisection b WHERE b.alert_id = a.id)"
	                   " AND (a.kind = 'fault' OR (a.kind = 'slower' AND NOT EXISTS"
	                   " (SELECT 1 FROM alert_work x WHERE x.alert_id = a.id"
	                   " AND x.state = 'open') AND (a.state = 'confirmed'"
	                   " OR (a.state = 'acknowledged' AND EXISTS (SELECT 1 FROM alert_work x"
	                   " WHERE x.alert_id = a.id AND x.stands = 1))))) ORDER BY a.id"),
	        p, out, w);
}

enum err store_bisect_same(struct db *db, int64_t submission, struct pool *p, bool *is,
                           const char **commit, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT CASE k.section_hash WHEN b.good_binary THEN b.good WHEN b.bad_binary"
	            " THEN b.bad ELSE (SELECT c.commit_id FROM bisection_commit c"
	            " WHERE c.bisection_id = b.id AND c.binary = k.section_hash"
	            " AND c.answer IN ('good', 'bad') ORDER BY c.position LIMIT 1) END"
	            " FROM bisection_step t JOIN bisection b ON b.id = t.bisection_id"
	            " JOIN bisection_commit m ON m.bisection_id = b.id AND m.position = t.position"
	            " JOIN submission_kernel x ON x.submission_id = t.submission_id"
	            " AND x.commit_id = m.commit_id JOIN kernel k ON k.id = x.kernel_id"
	            " WHERE t.submission_id = ?1 AND k.section_hash IS NOT NULL LIMIT 1");
	enum err e;

	*commit = NULL;
	db_bind_int(q, 1, submission);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*commit = col_str(q, 0, p);
	*is = *commit != NULL;
	db_done(q);
	return e;
}

enum err store_bisect_point(struct db *db, int64_t submission, const char *good, const char *bad,
                            struct pool *p, struct bisect_point *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT t.walk_id, t.walk_position, t.rebased, k.base, k.since, b.walk_id,"
	            " b.walk_position FROM track_point t JOIN walk k ON k.id = t.walk_id"
	            " LEFT JOIN track_point b ON b.track_id = t.track_id AND b.commit_id = ?2"
	            " AND b.position < t.position WHERE t.submission_id = ?1"
	            " AND t.commit_id = ?3 AND t.walk_position IS NOT NULL"
	            " ORDER BY t.track_id, t.position, b.position DESC LIMIT 1");
	enum err e;

	*out = (struct bisect_point){.walk = NONE};
	db_bind_int(q, 1, submission);
	db_bind_text(q, 2, good);
	db_bind_text(q, 3, bad);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		bool rebased = db_int(q, 2) != 0, is = str_eq(db_text(q, 4), good);
		struct bisect_point x = {.walk = db_int(q, 0),
		                         .first = 1,
		                         .last = db_int(q, 1),
		                         .rebased = rebased,
		                         .good = rebased ? col_str(q, 3, p) : good};

		/* Two points of one look at the branch. */
		if (!rebased && opt_int(q, 5) == x.walk && !db_is_null(q, 6)) {
			x.first = db_int(q, 6) + 1;
			is = true;
		}
		if (is && x.good)
			*out = x;
	}
	db_done(q);
	return e;
}

/* ---- what a step came to */

enum err store_bisect_seen(struct db *db, int64_t submission, int64_t kernel, const char *board,
                           const char *signature, struct pool *p, struct bisect_seen *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT EXISTS (SELECT 1 FROM boot_place f WHERE f.boot_id = b.id"
	            " AND f.signature = ?4), b.valid = 1 OR coalesce(b.reached, '') = 'measured',"
	            " b.why FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
	            " WHERE s.submission_id = ?1 AND b.kernel_id = ?2 AND b.board = ?3"
	            " ORDER BY b.id");
	enum err e;

	*out = (struct bisect_seen){0};
	db_bind_int(q, 1, submission);
	db_bind_int(q, 2, kernel);
	db_bind_text(q, 3, board);
	db_bind_text(q, 4, signature);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		if (db_int(q, 0)) {
			out->shown++;
		} else if (db_int(q, 1)) {
			out->clean++;
		} else {
			out->other++;
			if (!out->why)
				out->why = col_str(q, 2, p);
		}
	}
	db_done(q);
	return e;
}

enum err store_bisect_infra(struct db *db, int64_t submission, int64_t kernel, struct pool *p,
                            int64_t *jobs, const char **why, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT j.why FROM job j WHERE j.submission_id = ?1 AND j.state ="
	                       " 'failed' AND j.class = 'infra' AND j.purpose = 'work'"
	                       " AND (?2 IS NULL OR j.kernel_id = ?2) ORDER BY j.id");
	enum err e;

	*jobs = 0;
	*why = NULL;
	db_bind_int(q, 1, submission);
	bind_opt(q, 2, kernel);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		if (!(*jobs)++)
			*why = col_str(q, 0, p);
	db_done(q);
	return e;
}
