/* verdict_store.c - comparisons as derived rows: stored, with what follows, and made again. */
#include "server/verdict.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "server/alerts.h"
#include "server/faults.h"
#include "server/history.h"
#include "server/notify.h"
#include "server/samples.h"
#include "server/schedule.h"
#include "server/search.h"
#include "server/store_fault.h"
#include "server/store_share.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- storing */

struct saving {
	const struct judged *v;
	const struct search *search;
	const char *body;
	int64_t now_ms;
	bool live; /* not a rebuild: what follows from the facts is done too */
};

static enum err save(struct db *db, void *arg, struct why *w)
{
	const struct saving *s = arg;
	const struct judged *v = s->v;
	bool release = false;
	enum err e = store_cmp_save(db, v->cmp, &v->voids, s->body, w);
	size_t i;

	if (e == OK)
		e = store_known_recheck(db, v->cmp->submission, w);
	if (e == OK)
		e = search_save(db, v, s->search, s->now_ms, w);
	for (i = 0; e == OK && s->live && i < v->mismatches.count; i++)
		e = schedule_mismatch(db, v->mismatches.at[i].board, v->cmp->submission,
		                      v->mismatches.at[i].why, s->now_ms, w);
	for (i = 0; e == OK && s->live && i < v->more.count; i++)
		e = schedule_more(db, v->cmp->submission, v->more.at[i].board, v->more.at[i].from,
		                  v->more.at[i].until, s->now_ms, w);
	if (e == OK && s->live && v->finished)
		e = store_sub_state(db, v->cmp->submission, "done", NULL, s->now_ms, w);
	if (e == OK && s->live && v->cmp->complete && !v->exploratory)
		e = alerts_crept(db, v->cmp, s->now_ms, &release, w);
	if (e == OK && s->live && v->cmp->complete && !v->exploratory && !release)
		e = alerts_compared(db, v->cmp, s->now_ms, w);
	if (e == OK && v->cmp->complete)
		e = history_compared(db, v->cmp->submission, s->live, s->now_ms, w);
	return e;
}

/* A snapshot in which every fault of the submission has its place. */
static enum err snapshot(struct server *srv, int64_t sub, struct why *w)
{
	struct db *rd = db_reader(srv->store);
	bool missing = true;
	enum err e = OK;

	while (e == OK && missing) {
		struct pool *p = pool_new();
		struct ids boots = {0};

		e = faults_derive(srv, sub, w);
		if (e == OK)
			e = db_snapshot(rd, w);
		if (e == OK) {
			e = store_place_missing(rd, sub, 0, p, &boots, w);
			missing = boots.count > 0; /* a boot came in between */
			if (e != OK || missing)
				db_snapshot_end(rd);
		}
		pool_free(p);
	}
	return e;
}

static enum err update(struct server *srv, int64_t sub, bool live, struct why *w)
{
	struct db *rd = db_reader(srv->store);
	struct judged v;
	struct search search = {0};
	struct saving s = {.v = &v, .search = &search, .now_ms = clock_wall_ms(), .live = live};
	char *body;
	enum err e = snapshot(srv, sub, w);

	if (e != OK)
		return e;
	e = verdict_compute(rd, sub, &v, w);
	if (e == OK)
		e = search_look(rd, &v, live, &search, w);
	db_snapshot_end(rd);
	if (e == OK) {
		body = compare_json(v.cmp);
		s.body = body;
		e = db_write(srv->store, save, &s, w);
		notify_poke(srv);
		free(body);
	}
	search_release(&search);
	verdict_release(&v);
	return e;
}

enum err verdict_update(struct server *srv, int64_t sub, struct why *w)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	enum err e;

	pthread_mutex_lock(&one);
	e = update(srv, sub, true, w);
	pthread_mutex_unlock(&one);
	return e;
}

/* ---- rebuild */

#define PAGE 512

struct page {
	struct raw_runs runs;
	struct run_row *row;
};

static enum err clear(struct db *db, void *arg, struct why *w)
{
	enum err e = store_cmp_clear(db, w);

	(void)arg;
	if (e == OK)
		e = store_search_clear(db, w);
	if (e == OK)
		e = store_history_clear(db, w);
	if (e == OK)
		e = store_place_clear(db, w);
	if (e == OK)
		e = store_share_rebuild(db, w);
	return e == OK ? store_stat_clear(db, w) : e;
}

static enum err save_page(struct db *db, void *arg, struct why *w)
{
	const struct page *g = arg;
	enum err e = OK;
	size_t i;

	for (i = 0; e == OK && i < g->runs.count; i++)
		if (g->row[i].iterations > 0)
			e = store_stat_add(db, g->runs.at[i].boot, &g->row[i], w);
	return e;
}

static enum err number_page(struct server *srv, struct pool *p, int64_t *after, bool *more,
                            struct why *w)
{
	struct page g = {0};
	enum err e = store_run_page(db_reader(srv->store), *after, PAGE, p, &g.runs, w);
	size_t i;

	g.row = pool_alloc(p, g.runs.count * sizeof(*g.row));
	for (i = 0; e == OK && i < g.runs.count; i++) {
		const struct raw_run *r = &g.runs.at[i];
		int64_t *v;
		size_t n;

		e = samples_unpack(p, r->samples, r->samples_len, &v, &n, w);
		if (e != OK)
			return err_at(w, e, "run %lld", (long long)r->id);
		g.row[i].case_id = r->case_id;
		g.row[i].number = r->number;
		g.row[i].windows = r->windows;
		samples_number(v, n, (size_t)r->warmup, &g.row[i]);
		*after = r->id;
	}
	*more = g.runs.count == PAGE;
	return e == OK && g.runs.count ? db_write(srv->store, save_page, &g, w) : e;
}

enum err server_rebuild(struct server *srv, struct why *w)
{
	struct pool *p;
	struct ids subs = {0};
	int64_t after = 0;
	bool more = true;
	size_t i;
	enum err e = db_write(srv->store, clear, NULL, w);

	while (e == OK && more) {
		p = pool_new();
		e = number_page(srv, p, &after, &more, w);
		pool_free(p);
	}
	if (e == OK)
		e = faults_derive(srv, NONE, w);
	p = pool_new();
	if (e == OK)
		e = store_sub_all(db_reader(srv->store), p, &subs, w);
	for (i = 0; e == OK && i < subs.count; i++)
		e = update(srv, subs.at[i], false, w);
	if (e == OK)
		log_info("rebuild.done", "comparisons", log_i((int64_t)subs.count), NULL);
	pool_free(p);
	return e;
}
