/* work.c - the thread that does what no request asks for. */
#include "server/work.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "server/alerts.h"
#include "server/bisections.h"
#include "server/faults.h"
#include "server/reference.h"
#include "server/remeasure.h"
#include "server/schedule.h"
#include "server/store_compare.h"
#include "server/tracks.h"
#include "server/verdict.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* Between two looks, unless poked; at least, however often poked; and between
 * two partial comparisons. */
#define LOOK_MS       1000
#define POKED_MS      20
#define PARTIAL_NS    NS_PER_S
#define REFERENCE_NS  (2 * NS_PER_S)
/* Partial comparisons take at most one part in so many of the time. */
#define PARTIAL_SHARE 20

struct work {
	struct server *srv;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool poked, stop;
	int64_t partial_ns;              /* when partial ones may be computed again */
	int64_t reference_ns;            /* when nights and environments are */
	int64_t expire_ns;               /* when leases are looked at again */
	int64_t remeasure_ms, bisect_ms; /* by the wall: when what could not begin is tried again */
	int64_t placed;                  /* boots up to this one have the places of their faults */
};

struct expired {
	int64_t job, now_ms;
};

static enum err expire(struct db *db, void *arg, struct why *w)
{
	const struct expired *x = arg;

	return schedule_expired(db, x->job, x->now_ms, w);
}

static void expire_leases(struct server *srv, struct pool *p)
{
	struct ids jobs = {0};
	struct why w;
	int64_t now = clock_wall_ms();
	size_t i;
	enum err e = store_job_expired(db_reader(srv->store), now, p, &jobs, &w);

	for (i = 0; e == OK && i < jobs.count; i++) {
		struct expired x = {.job = jobs.at[i], .now_ms = now};

		e = db_write(srv->store, expire, &x, &w);
		if (e == OK)
			log_warn("job.expired", "job", log_i(x.job), NULL);
	}
	if (e != OK)
		log_error("work.expire", "why", w.text, NULL);
}

/* A submission with nothing left to run is computed now, others in turn. */
static bool is_due(struct server *srv, int64_t sub, bool partial, struct pool *p)
{
	struct sub s;
	int64_t open = 0;

	if (partial)
		return true;
	return store_sub_get(db_reader(srv->store), sub, p, &s, NULL) == OK &&
	       (s.ended_ms != NONE ||
	        (store_job_open(db_reader(srv->store), sub, &open, NULL) == OK && open == 0));
}

/* Also of boots that no comparison asks for: health checks. */
static void place_faults(struct work *k)
{
	struct why w;

	if (faults_derive_new(k->srv, &k->placed, &w) != OK)
		log_error("work.faults", "why", w.text, NULL);
}

static void follow_tracks(struct work *k)
{
	struct why w;

	if (tracks_run(k->srv, clock_wall_ms(), &w) != OK)
		log_error("work.tracks", "why", w.text, NULL);
}

static void compute(struct work *k, struct pool *p)
{
	int64_t began = clock_mono_ns(), took;
	bool partial = began >= k->partial_ns;
	struct ids subs = {0};
	struct why w;
	size_t i;
	enum err e = store_cmp_stale(db_reader(k->srv->store), p, &subs, &w);

	if (e != OK) {
		log_error("work.look", "why", w.text, NULL);
		return;
	}
	for (i = 0; i < subs.count; i++) {
		if (!is_due(k->srv, subs.at[i], partial, p))
			continue;
		e = verdict_update(k->srv, subs.at[i], &w);
		if (e != OK)
			log_error("work.compare", "submission", log_i(subs.at[i]), "why", w.text,
			          NULL);
	}
	took = clock_mono_ns() - began;
	if (partial)
		k->partial_ns =
		        began + took +
		        (took * PARTIAL_SHARE > PARTIAL_NS ? took * PARTIAL_SHARE : PARTIAL_NS);
}

/* Waits until a flag is up or `ms` have passed since `from`. */
static void wait_flag(struct work *k, const bool *flag, const struct timespec *from, long ms)
{
	struct timespec until = *from;

	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * NS_PER_MS;
	if (until.tv_nsec >= NS_PER_S) {
		until.tv_sec++;
		until.tv_nsec -= NS_PER_S;
	}
	while (!*flag && !k->stop)
		if (pthread_cond_timedwait(&k->cond, &k->lock, &until) != 0)
			break;
}

/* True until it is time to stop. */
static bool wait_for_work(struct work *k, const struct timespec *looked)
{
	bool go;

	pthread_mutex_lock(&k->lock);
	wait_flag(k, &k->poked, looked, LOOK_MS);
	wait_flag(k, &k->stop, looked, POKED_MS);
	k->poked = false;
	go = !k->stop;
	pthread_mutex_unlock(&k->lock);
	return go;
}

static void *work_main(void *arg)
{
	struct work *k = arg;
	struct timespec looked;

	do {
		struct pool *p = pool_new();

		clock_gettime(CLOCK_MONOTONIC, &looked);
		if (clock_mono_ns() >= k->expire_ns) {
			expire_leases(k->srv, p);
			alerts_unmuted(k->srv, clock_wall_ms());
			k->expire_ns = clock_mono_ns() + NS_PER_S;
		}
		place_faults(k);
		compute(k, p);
		follow_tracks(k);
		remeasure_work(k->srv, &k->remeasure_ms);
		bisections_work(k->srv, &k->bisect_ms);
		if (clock_mono_ns() >= k->reference_ns) {
			reference_look(k->srv, clock_wall_ms());
			k->reference_ns = clock_mono_ns() + REFERENCE_NS;
		}
		pool_free(p);
		db_reader_rest(k->srv->store);
	} while (wait_for_work(k, &looked));
	return NULL;
}

static enum err extend(struct db *db, void *arg, struct why *w)
{
	return store_job_extend(db, *(int64_t *)arg, w);
}

enum err work_start(struct server *srv, struct why *w)
{
	/* Agents worked on while this server was away: they get the time of a
	 * whole lease to come back. */
	int64_t until = clock_wall_ms() + srv->conf.lease_s * 1000;
	struct work *k;
	pthread_condattr_t attr;
	enum err e = db_write(srv->store, extend, &until, w);

	if (e != OK)
		return e;
	k = xcalloc(1, sizeof(*k));
	k->srv = srv;
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->cond, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&k->thread, NULL, work_main, k) != 0) {
		free(k);
		return err_set(w, ERR_IO, "cannot start the worker's thread");
	}
	srv->work = k;
	return OK;
}

void work_poke(struct server *srv)
{
	struct work *k = srv->work;

	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->poked = true;
	pthread_cond_signal(&k->cond);
	pthread_mutex_unlock(&k->lock);
}

void work_stop(struct server *srv)
{
	struct work *k = srv->work;

	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->cond);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	pthread_cond_destroy(&k->cond);
	pthread_mutex_destroy(&k->lock);
	free(k);
	srv->work = NULL;
}
