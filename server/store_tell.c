/* store_tell.c - SQL for subscriptions and the outbox. */
#include "server/store_tell.h"

#include <string.h>

#define SUBSCRIPTION                                                            \
	"SELECT id, channel, address, secret, shown, branch, board, case_glob," \
	" min_size, direction, by_whom, at_ms, ended_ms, ended_by FROM subscription"

static void subscription_row(struct db_stmt *q, struct pool *p, struct subscription *s)
{
	s->id = db_int(q, 0);
	s->channel = col_str(q, 1, p);
	s->address = col_str(q, 2, p);
	s->secret = col_str(q, 3, p);
	s->shown = col_str(q, 4, p);
	s->branch = col_str(q, 5, p);
	s->board = col_str(q, 6, p);
	s->case_glob = col_str(q, 7, p);
	s->min_size = opt_num(q, 8);
	s->direction = col_str(q, 9, p);
	s->by = col_str(q, 10, p);
	s->at_ms = db_int(q, 11);
	s->ended_ms = opt_int(q, 12);
	s->ended_by = col_str(q, 13, p);
}

enum err store_subscription_add(struct db *db, const struct subscription *s, int64_t *id,
                                struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO subscription (channel, address, secret, shown, branch, board,"
	            " case_glob, min_size, direction, by_whom, at_ms) VALUES (?1, ?2, ?3, ?4, ?5,"
	            " ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id");

	db_bind_text(q, 1, s->channel);
	db_bind_text(q, 2, s->address);
	db_bind_text(q, 3, s->secret);
	db_bind_text(q, 4, s->shown);
	db_bind_text(q, 5, s->branch);
	db_bind_text(q, 6, s->board);
	db_bind_text(q, 7, s->case_glob);
	bind_num(q, 8, s->min_size);
	db_bind_text(q, 9, s->direction);
	db_bind_text(q, 10, s->by);
	db_bind_int(q, 11, s->at_ms);
	return db_run_int(q, id, w);
}

enum err store_subscription_get(struct db *db, int64_t id, struct pool *p, struct subscription *out,
                                struct why *w)
{
	struct db_stmt *q = db_prepare(db, SUBSCRIPTION " WHERE id = ?1");
	enum err e;

	db_bind_int(q, 1, id);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		subscription_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no subscription %lld", (long long)id);
	db_done(q);
	return e;
}

enum err store_subscription_list(struct db *db, struct pool *p, struct subscriptions *out,
                                 struct why *w)
{
	struct db_stmt *q = db_prepare(db, SUBSCRIPTION " ORDER BY id");
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		subscription_row(q, p,
		                 pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_subscription_end(struct db *db, int64_t id, const char *by, int64_t now_ms,
                                struct why *w)
{
	struct pool *p = pool_new();
	struct subscription s = {0};
	struct db_stmt *q;
	enum err e = store_subscription_get(db, id, p, &s, w);

	if (e == OK && s.ended_ms != NONE)
		e = err_set(w, ERR_CONFLICT, "subscription %lld was ended already", (long long)id);
	pool_free(p);
	if (e != OK)
		return e;
	q = db_prepare(db, "UPDATE subscription SET ended_ms = ?2, ended_by = ?3 WHERE id = ?1");
	db_bind_int(q, 1, id);
	db_bind_int(q, 2, now_ms);
	db_bind_text(q, 3, by);
	e = db_run(q, w);
	if (e != OK)
		return e;
	q = db_prepare(db, "UPDATE outbox SET state = 'dead', ended_ms = ?2,"
	                   " why = 'the subscription was ended'"
	                   " WHERE subscription_id = ?1 AND state = 'waiting'");
	db_bind_int(q, 1, id);
	db_bind_int(q, 2, now_ms);
	return db_run(q, w);
}

/* ---- outbox */

#define LETTER                                                                          \
	"SELECT o.id, o.delivery, o.alert_id, o.step_id, o.subscription_id, o.channel," \
	" o.state, o.why, o.attempts, o.next_ms, o.created_ms, o.ended_ms FROM outbox o"

static enum err read_letters(struct db_stmt *q, struct pool *p, struct letters *out, struct why *w)
{
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct letter *l = pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		l->id = db_int(q, 0);
		l->delivery = col_str(q, 1, p);
		l->alert = db_int(q, 2);
		l->step = db_int(q, 3);
		l->subscription = db_int(q, 4);
		l->channel = col_str(q, 5, p);
		l->state = col_str(q, 6, p);
		l->why = col_str(q, 7, p);
		l->attempts = db_int(q, 8);
		l->next_ms = db_int(q, 9);
		l->created_ms = db_int(q, 10);
		l->ended_ms = opt_int(q, 11);
	}
	db_done(q);
	return e;
}

enum err store_outbox_add(struct db *db, int64_t alert, int64_t step, const struct subscription *s,
                          const char *delivery, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO outbox (delivery, alert_id, step_id, subscription_id, channel,"
	            " state, attempts, next_ms, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, 'waiting',"
	            " 0, ?6, ?6) ON CONFLICT (step_id, subscription_id) DO NOTHING");

	db_bind_text(q, 1, delivery);
	db_bind_int(q, 2, alert);
	db_bind_int(q, 3, step);
	db_bind_int(q, 4, s->id);
	db_bind_text(q, 5, s->channel);
	db_bind_int(q, 6, now_ms);
	return db_run(q, w);
}

enum err store_outbox_knows(struct db *db, int64_t alert, int64_t subscription, bool *knows,
                            struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT count(*) FROM outbox WHERE alert_id = ?1"
	                                   " AND subscription_id = ?2");
	int64_t n = 0;
	enum err e;

	db_bind_int(q, 1, alert);
	db_bind_int(q, 2, subscription);
	e = db_run_int(q, &n, w);
	*knows = n > 0;
	return e;
}

enum err store_outbox_due(struct db *db, bool mail, int64_t now_ms, int64_t latest_ms,
                          int64_t limit, struct pool *p, struct letters *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, LETTER
	        " WHERE o.state = 'waiting' AND (o.channel = 'mail') = ?1"
	        " AND (o.next_ms <= ?2 OR o.next_ms > ?4) AND NOT EXISTS (SELECT 1 FROM outbox e"
	        " WHERE e.alert_id = o.alert_id AND e.state = 'waiting'"
	        " AND e.subscription_id = o.subscription_id AND e.id < o.id)"
	        " ORDER BY EXISTS (SELECT 1 FROM outbox f WHERE"
	        " f.state = 'waiting' AND f.attempts > 0"
	        " AND f.subscription_id = o.subscription_id),"
	        " o.next_ms, o.id LIMIT ?3");

	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, now_ms);
	db_bind_int(q, 3, limit);
	db_bind_int(q, 4, latest_ms);
	return read_letters(q, p, out, w);
}

enum err store_outbox_next(struct db *db, bool mail, int64_t *next_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT coalesce(min(o.next_ms), ?2) FROM outbox o WHERE o.state = 'waiting'"
	            " AND (o.channel = 'mail') = ?1 AND NOT EXISTS (SELECT 1 FROM outbox e"
	            " WHERE e.alert_id = o.alert_id AND e.state = 'waiting'"
	            " AND e.subscription_id = o.subscription_id AND e.id < o.id)");

	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, INT64_MAX);
	return db_run_int(q, next_ms, w);
}

enum err store_outbox_tried(struct db *db, int64_t id, const char *state, const char *why,
                            int64_t next_ms, int64_t now_ms, struct why *w)
{
	/* One that was given up meanwhile, with its subscription, stays so. */
	struct db_stmt *q = db_prepare(
	        db, "UPDATE outbox SET state = ?2, why = ?3, next_ms = ?4, attempts = attempts + 1,"
	            " ended_ms = ?5 WHERE id = ?1 AND state = 'waiting'");

	db_bind_int(q, 1, id);
	db_bind_text(q, 2, state);
	db_bind_text(q, 3, why);
	db_bind_int(q, 4, next_ms);
	bind_opt(q, 5, strcmp(state, "waiting") == 0 ? NONE : now_ms);
	return db_run(q, w);
}

enum err store_outbox_of(struct db *db, int64_t alert, struct pool *p, struct letters *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(db, LETTER " WHERE o.alert_id = ?1 ORDER BY o.id");

	db_bind_int(q, 1, alert);
	return read_letters(q, p, out, w);
}

enum err store_outbox_first_mail(struct db *db, int64_t step, int64_t *subscription, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT min(subscription_id) FROM outbox"
	                                   " WHERE step_id = ?1 AND channel = 'mail'");
	enum err e;

	db_bind_int(q, 1, step);
	e = db_step(q, w);
	*subscription = e == OK && db_has_row(q) ? opt_int(q, 0) : NONE;
	db_done(q);
	return e;
}
