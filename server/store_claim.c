/* store_claim.c - SQL for leases: who gets which job, and for how long. */
#include "server/store_job.h"
#include "server/store_share.h"

/*
 * The next job for an agent: ?1 its name, ?2, ?3 and ?23 whether it takes resolve,
 * build and walk jobs, ?4 to ?19 the boards that are free, ?20 the time. A tree must
 * begin with a prefix it may fetch, a compiler must be its own, a board must be
 * in service (in quarantine: checks only) and hold no other lease.
 *
 * FIRSTS are the first such jobs of the lanes, by an index; what orders them stands
 * in store_share.h.
 */
#define TEXT_OF(x) TEXT(x)
#define TEXT(x)    #x
#define STEP_TEXT  "600000" /* LANE_STEP_MS: a macro's text would have C's suffix */
_Static_assert(LANE_STEP_MS == 600000, "STEP_TEXT");
#define CHECK_TEXT TEXT_OF(URGENCY_CHECK)

#define IN_LANE                                                                      \
	"j.state = 'queued' AND j.submitter = l.submitter AND j.urgency = l.urgency" \
	" AND j.board "
#define FIRST " ORDER BY j.submission_id, j.seq, j.id LIMIT 1)"

/* What agents with tools and trees do. */
#define FIRST_OF_AGENTS                                                                           \
	"(SELECT j.id FROM job j WHERE " IN_LANE "IS NULL AND ("                                  \
	"(?2 = 1 AND j.kind = 'resolve') OR (?23 = 1 AND j.kind = 'walk') OR (?3 = 1 AND j.kind " \
	"= 'build' AND EXISTS"                                                                    \
	" (SELECT 1 FROM agent_toolchain t WHERE t.agent = ?1 AND t.name = j.toolchain"           \
	" AND t.compiler = j.compiler))) AND EXISTS (SELECT 1 FROM agent_tree t"                  \
	" WHERE t.agent = ?1 AND substr(j.tree, 1, length(t.prefix)) = t.prefix)" FIRST
#define FIRST_OF_BOARD "(SELECT j.id FROM job j WHERE " IN_LANE "= l.board" FIRST

#define LANES(first) "SELECT l.board, l.submitter, l.begun_ms, " first " AS id FROM "

#define FIRSTS                                                                                     \
	"(" LANES(                                                                                 \
	        FIRST_OF_AGENTS) "lane l WHERE l.board = '' AND (?2 = 1 OR ?3 = 1 OR ?23 = 1)"     \
	                         " UNION ALL " LANES(                                              \
	                                 FIRST_OF_BOARD) "board b JOIN lane l ON l.board = b.name" \
	                                                 " WHERE b.name IN (?4, ?5, ?6, ?7, ?8, "  \
	                                                 "?9, ?10, ?11, ?12, ?13,"                 \
	                                                 " ?14, ?15, ?16, ?17, ?18, ?19) AND "     \
	                                                 "b.agent = ?1 AND b.offered = 1"          \
	                                                 " AND (b.state = 'active' OR (b.state = " \
	                                                 "'quarantined'"                           \
	                                                 " AND l.urgency = " CHECK_TEXT            \
	                                                 ")) AND NOT EXISTS (SELECT 1 FROM job o"  \
	                                                 " WHERE o.board = b.name AND o.state = "  \
	                                                 "'leased')) c"

#define NEXT                                                                     \
	"SELECT j.id FROM " FIRSTS " JOIN job j ON j.id = c.id"                  \
	" LEFT JOIN usage u ON u.board = c.board AND u.submitter = c.submitter"  \
	" ORDER BY CASE j.urgency WHEN " CHECK_TEXT " THEN 0 ELSE 1 END,"        \
	" j.urgency + CASE WHEN ?20 <= c.begun_ms OR ?20 <= j.created_ms THEN 0" \
	" WHEN c.begun_ms > j.created_ms THEN (?20 - c.begun_ms) / " STEP_TEXT   \
	" ELSE (?20 - j.created_ms) / " STEP_TEXT " END DESC,"                   \
	" coalesce(u.heat, -1e300), j.submission_id, j.seq, j.id LIMIT 1"

static void bind_next(struct db_stmt *q, const struct claim *c)
{
	size_t i;

	db_bind_text(q, 1, c->agent);
	db_bind_int(q, 2, c->resolve);
	db_bind_int(q, 3, c->build);
	for (i = 0; i < CLAIM_BOARDS; i++)
		db_bind_text(q, 4 + (int)i, i < c->boards ? c->board[i] : NULL);
	db_bind_int(q, 23, c->walk);
}

enum err store_job_claimable(struct db *db, const struct claim *c, bool *is, struct why *w)
{
	/* Any will do: the first that is found. */
	struct db_stmt *q =
	        db_prepare(db, "SELECT c.id FROM " FIRSTS " WHERE c.id IS NOT NULL LIMIT 1");
	enum err e;

	bind_next(q, c);
	e = db_step(q, w);
	*is = e == OK && db_has_row(q);
	db_done(q);
	return e;
}

enum err store_job_claim(struct db *db, const struct claim *c, int64_t *id, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "UPDATE job SET state = 'leased', attempt = attempt + 1, agent = ?1,"
	                       " nonce = ?21, lease_until_ms = ?22, started_ms = ?20, class = NULL,"
	                       " why = NULL, step = NULL, done = NULL, total = NULL"
	                       " WHERE id = (" NEXT ") RETURNING id, board, submitter, urgency");
	struct pool *p = pool_new();
	const char *board = NULL, *submitter = NULL;
	int64_t urgency = 0;
	enum err e;

	bind_next(q, c);
	db_bind_int(q, 20, c->now_ms);
	db_bind_text(q, 21, c->nonce);
	db_bind_int(q, 22, c->lease_until_ms);
	e = db_step(q, w);
	*id = e == OK && db_has_row(q) ? db_int(q, 0) : NONE;
	if (*id != NONE) {
		board = col_str(q, 1, p);
		submitter = col_str(q, 2, p);
		urgency = db_int(q, 3);
	}
	db_done(q);
	if (*id != NONE)
		e = store_lane_begun(db, board, submitter, urgency, c->now_ms, w);
	pool_free(p);
	return e;
}

enum err store_job_renew(struct db *db, int64_t id, int64_t attempt, int64_t lease_until_ms,
                         const char *step, int64_t done, int64_t total, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "UPDATE job SET lease_until_ms = CASE state WHEN 'leased' THEN ?3 END,"
	            " step = coalesce(?4, step), done = CASE WHEN ?4 IS NULL THEN done ELSE ?5 END,"
	            " total = CASE WHEN ?4 IS NULL THEN total ELSE ?6 END"
	            " WHERE id = ?1 AND attempt = ?2 AND state IN ('leased', 'cancelled')"
	            " RETURNING id");
	int64_t got;
	enum err e;

	db_bind_int(q, 1, id);
	db_bind_int(q, 2, attempt);
	db_bind_int(q, 3, lease_until_ms);
	db_bind_text(q, 4, step);
	bind_opt(q, 5, done);
	bind_opt(q, 6, total);
	e = db_run_int(q, &got, w);
	if (e == ERR_NOT_FOUND)
		e = err_set(w, ERR_CONFLICT, "attempt %lld of job %lld holds no lease any more",
		            (long long)attempt, (long long)id);
	return e;
}

enum err store_job_expired(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                           struct why *w)
{
	/* By the order of the index: for another one SQLite walks the whole table. */
	struct db_stmt *q = db_prepare(db, "SELECT id FROM job WHERE state = 'leased'"
	                                   " AND lease_until_ms < ?1 ORDER BY lease_until_ms");

	db_bind_int(q, 1, now_ms);
	return read_ids(q, p, out, w);
}

enum err store_job_extend(struct db *db, int64_t lease_until_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE job SET lease_until_ms = ?1"
	                                   " WHERE state = 'leased' AND lease_until_ms < ?1");

	db_bind_int(q, 1, lease_until_ms);
	return db_run(q, w);
}
