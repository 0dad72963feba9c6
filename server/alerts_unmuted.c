/* alerts_unmuted.c - what a mute kept quiet, and is open still when the mute is over, is told. */
#include "server/alerts.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "server/notify.h"
#include "server/server.h"

struct unmuting {
	int64_t alert, now_ms;
};

static enum err unmute(struct db *db, void *arg, struct why *w)
{
	const struct unmuting *x = arg;
	struct pool *p = pool_new();
	struct alert a = {0};
	struct alert_cells cells = {0};
	struct mutes mutes = {0};
	int64_t step, told = 0;
	enum err e = store_alert_get(db, x->alert, p, &a, w);

	if (e == OK)
		e = store_alert_cells(db, x->alert, p, &cells, w);
	if (e == OK)
		e = store_mute_list(db, x->now_ms, p, &mutes, w);
	for (size_t i = 0; i < cells.count; i++) {
		struct alert_cell *c = &cells.at[i];

		if (c->mute == NONE)
			continue;
		/* Another may be in force. */
		c->mute = alerts_muted(&mutes, p, a.tree, a.ref, c->board, c->case_text);
		told += c->mute == NONE;
	}
	if (e == OK)
		e = store_alert_cells_set(db, x->alert, &cells, w);
	if (e == OK && told)
		e = alerts_step_told(db, x->alert, a.state,
		                     "the mute that kept it quiet is over, and it is open still",
		                     x->now_ms, &step, w);
	pool_free(p);
	return err_at(w, e, "mute of alert %lld", (long long)x->alert);
}

void alerts_unmuted(struct server *srv, int64_t now_ms)
{
	struct pool *p = pool_new();
	struct ids ids = {0};
	struct why w;
	enum err e = store_mute_over(db_reader(srv->store), now_ms, p, &ids, &w);

	for (size_t i = 0; e == OK && i < ids.count; i++) {
		struct unmuting x = {.alert = ids.at[i], .now_ms = now_ms};

		e = db_write(srv->store, unmute, &x, &w);
	}
	if (e != OK)
		log_error("alerts.unmuted", "why", w.text, NULL);
	if (ids.count)
		notify_poke(srv);
	pool_free(p);
}
