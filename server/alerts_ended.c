/* alerts_ended.c - nobody follows the branch any more that an alert came of. */
#include "server/alerts.h"

#include "lib/mem.h"
#include "server/alert_work.h"
#include "server/store_alert_track.h"
#include "server/store_presence.h"
#include "server/store_track.h"

/* What somebody took on is theirs to end; they are told all the same. */
static enum err one_alert(struct db *db, struct pool *p, int64_t id, const char *why,
                          int64_t now_ms, struct why *w)
{
	struct alert a = {0};
	int64_t step;
	enum err e = store_alert_get(db, id, p, &a, w);

	if (e == OK && str_eq(a.state, "acknowledged"))
		return alerts_step_told(db, id, a.state,
		                        pool_fmt(p, "%s; it stays with %s", why, a.owner), now_ms,
		                        &step, w);
	if (e == OK)
		e = alerts_step(db, id, a.state, "dismissed", why, NULL, now_ms, w);
	return e == OK ? alert_work_stop(db, id, "the track has ended", now_ms, w) : e;
}

enum err alerts_ended(struct db *db, const struct track *t, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct ids ids = {0};
	const char *why =
	        pool_fmt(p, "nobody measures it any more: track %lld of \"%s\" has ended: %s",
	                 (long long)t->id, t->branch, t->stop_why);
	enum err e = store_alert_left(db, t->id, p, &ids, w);

	if (e == OK)
		e = store_presence_left(db, t->id, p, &ids, w);
	for (size_t i = 0; e == OK && i < ids.count; i++)
		e = one_alert(db, p, ids.at[i], why, now_ms, w);
	pool_free(p);
	return err_at(w, e, "alerts of track %lld", (long long)t->id);
}
