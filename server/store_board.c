/* store_board.c - SQL for boards and their history. */
#include "server/store_board.h"

#include <string.h>

#define BOARD_SELECT                                                                      \
	"SELECT b.name, b.agent, b.kind, b.profile, b.labels, b.metric, b.deterministic," \
	" b.emulated, b.untrusted, b.capabilities, b.description, b.identity, b.offered," \
	" b.state, b.why, b.infra_streak, a.bench,"                                       \
	" (SELECT min(j.id) FROM job j WHERE j.board = b.name AND j.state = 'leased')"    \
	" FROM board b JOIN agent a ON a.name = b.agent "

static void board_row(struct db_stmt *q, struct pool *p, struct board *b)
{
	b->name = col_str(q, 0, p);
	b->agent = col_str(q, 1, p);
	b->kind = col_str(q, 2, p);
	b->profile = col_str(q, 3, p);
	b->labels = col_str(q, 4, p);
	b->metric = col_str(q, 5, p);
	b->deterministic = db_int(q, 6) != 0;
	b->emulated = db_int(q, 7) != 0;
	b->untrusted = db_int(q, 8) != 0;
	b->capabilities = col_str(q, 9, p);
	b->description = col_str(q, 10, p);
	b->identity = col_str(q, 11, p);
	b->offered = db_int(q, 12) != 0;
	b->state = col_str(q, 13, p);
	b->why = col_str(q, 14, p);
	b->infra_streak = db_int(q, 15);
	b->bench = col_str(q, 16, p);
	b->job = opt_int(q, 17);
}

enum err store_board_get(struct db *db, const char *name, struct pool *p, struct board *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(db, BOARD_SELECT "WHERE b.name = ?1");
	enum err e;

	db_bind_text(q, 1, name);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		board_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no board \"%s\"", name);
	db_done(q);
	return e;
}

enum err store_board_list(struct db *db, const char *label, struct pool *p, struct board_list *out,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(db, BOARD_SELECT "ORDER BY b.name");
	const char *word = label ? pool_fmt(p, " %s ", label) : "";
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		if (strstr(db_text(q, 4), word))
			board_row(q, p,
			          pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_board_state(struct db *db, const char *name, const char *state, const char *why,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE board SET state = ?2, why = ?3 WHERE name = ?1");

	db_bind_text(q, 1, name);
	db_bind_text(q, 2, state);
	db_bind_text(q, 3, why);
	return db_run(q, w);
}

enum err store_board_streak(struct db *db, const char *name, int64_t streak, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE board SET infra_streak = ?2 WHERE name = ?1");

	db_bind_text(q, 1, name);
	db_bind_int(q, 2, streak);
	return db_run(q, w);
}

enum err store_board_event(struct db *db, const char *board, const char *event, const char *why,
                           const char *by, int64_t job, int64_t submission, int64_t now_ms,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO board_event (board, event, why, by_whom, job_id, submission_id,"
	            " at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

	db_bind_text(q, 1, board);
	db_bind_text(q, 2, event);
	db_bind_text(q, 3, why);
	db_bind_text(q, 4, by);
	bind_opt(q, 5, job);
	bind_opt(q, 6, submission);
	db_bind_int(q, 7, now_ms);
	return db_run(q, w);
}

enum err store_board_events(struct db *db, const char *board, int64_t limit, struct pool *p,
                            struct board_events *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT id, event, why, by_whom, job_id, at_ms FROM board_event"
	                       " WHERE board = ?1 ORDER BY id DESC LIMIT ?2");
	enum err e;

	db_bind_text(q, 1, board);
	db_bind_int(q, 2, limit);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct board_event *b =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		b->id = db_int(q, 0);
		b->event = col_str(q, 1, p);
		b->why = col_str(q, 2, p);
		b->by = col_str(q, 3, p);
		b->job = opt_int(q, 4);
		b->at_ms = db_int(q, 5);
	}
	db_done(q);
	return e;
}

enum err store_board_mismatch_told(struct db *db, const char *board, int64_t submission, bool *told,
                                   struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT 1 FROM board_event WHERE board = ?1"
	                                   " AND submission_id = ?2 AND event = 'mismatch'");
	enum err e;

	db_bind_text(q, 1, board);
	db_bind_int(q, 2, submission);
	e = db_step(q, w);
	*told = e == OK && db_has_row(q);
	db_done(q);
	return e;
}

enum err store_board_known_good(struct db *db, const char *board, int64_t *kernel, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT kernel_id FROM boot WHERE board = ?1 AND valid = 1 AND baseline = 1"
	            " AND imported = 0 ORDER BY id DESC LIMIT 1");

	db_bind_text(q, 1, board);
	return read_id(q, kernel, w);
}
