/*
 * compare.c - GET of a comparison (4 kernels x 60 cases x 8 boots) with 1 M and
 * with 10 M samples stored, and the reading of its rows through SQLite.
 *
 * Both servers stand at once and every turn asks both, and reads both files in
 * this process, so that what else the machine does falls on all four alike.
 * The submissions are asked in turn. Everything was stored by the API: eight
 * boards, each with an agent of its own that claims and answers.
 */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define BOOTS 8
#define TURNS 1000
#define ASKED 5 /* different submissions */

static struct world *kept[2];
static const int sizes[2] = {1, 10};

/* ---- storing */

struct hand {
	pthread_t thread;
	struct world *world;
	size_t board;
};

static void *work(void *arg)
{
	struct hand *h = arg;
	struct client *c = world_worker(h->world);
	struct answer a;

	while (claim(c, h->board, &a)) {
		post(c, &a);
		answer_release(&a);
	}
	client_free(c);
	return NULL;
}

static struct world *store(int millions)
{
	const int64_t one = KERNELS_MAX * CASES * BOOTS * SAMPLES;
	int64_t submissions = (millions * INT64_C(1000000) + one - 1) / one, begin, took;
	char *name = xasprintf("stored-%dm", millions), *db;
	struct world *w = world_start(name);
	struct hand h[CLIENTS];

	note("storing %d M samples: %lld submissions of %d kernels x %d cases x %d boots", millions,
	     (long long)submissions, KERNELS_MAX, CASES, BOOTS);
	world_boards(w, CLIENTS);
	begin = clock_mono_ns();
	for (int64_t i = 0; i < submissions; i++)
		world_submit(w, KERNELS_MAX, BOOTS, (size_t)i % CLIENTS, 1);
	for (size_t i = 0; i < CLIENTS; i++) {
		h[i] = (struct hand){.world = w, .board = i};
		if (pthread_create(&h[i].thread, NULL, work, &h[i]))
			die("cannot start a client's thread");
	}
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(h[i].thread, NULL);
	for (int64_t id = 1; id <= submissions; id++)
		world_await(w, id);
	took = clock_mono_ns() - begin;
	db = world_db(w);
	note("stored %lld samples in %.1f s", (long long)straight_samples(db), (double)took / 1e9);
	free(db);
	free(name);
	return w;
}

struct world *stored(int millions)
{
	size_t i = millions == sizes[1];

	if (!kept[i])
		kept[i] = store(millions);
	return kept[i];
}

void stored_stop(void)
{
	for (size_t i = 0; i < 2; i++) {
		world_stop(kept[i]);
		kept[i] = NULL;
	}
}

/* ---- asking */

struct way {
	const char *name, *query, *what;
	size_t (*read)(struct reading *r, int64_t submission);
	bool promised; /* within bounds */
};

struct side {
	struct world *world;
	struct reading *reading;
	struct wire wire;
	double http[TURNS], sql[TURNS];
	size_t bytes;
};

static double since_ms(int64_t begin)
{
	return (double)(clock_mono_ns() - begin) / 1e6;
}

static void turn(struct side *s, const struct way *way, size_t n)
{
	int64_t id = s->world->submissions - (int64_t)(n % ASKED), begin;
	char path[96];

	snprintf(path, sizeof(path), "/api/v1/comparisons/%lld%s", (long long)id, way->query);
	begin = clock_mono_ns();
	s->bytes = wire_get(&s->wire, path);
	s->http[n] = since_ms(begin);
	begin = clock_mono_ns();
	way->read(s->reading, id);
	s->sql[n] = since_ms(begin);
}

static void told(const struct way *way, struct side *s, size_t size, const char *which, double q)
{
	double http = quantile(s->http, TURNS, q), sql = quantile(s->sql, TURNS, q);
	char *name = xasprintf("%s_%dm_%s", way->name, sizes[size], which);
	char *against = xasprintf("%.3f ms for %s through SQLite", sql, way->what);

	report(&(struct figure){name, http, "ms", http / sql, against,
	                        way->promised ? RATIO_MAX : NO_BOUND, 2});
	free(against);
	free(name);
}

static void ask(const struct way *way, struct side *s)
{
	double growth[2];
	char *name, *against;

	for (size_t n = 0; n < TURNS / 10; n++)
		for (size_t i = 0; i < 2; i++)
			turn(&s[i], way, n);
	for (size_t n = 0; n < TURNS; n++)
		for (size_t i = 0; i < 2; i++)
			turn(&s[i], way, n);
	for (size_t i = 0; i < 2; i++) {
		told(way, &s[i], i, "p50", 0.5);
		told(way, &s[i], i, "p99", 0.99);
		growth[i] = quantile(s[i].http, TURNS, 0.5);
	}
	name = xasprintf("%s_growth", way->name);
	against = xasprintf("p50 with 1 M samples; %zu bytes", s[1].bytes);
	report(&(struct figure){name, growth[1], "ms", growth[1] / growth[0], against,
	                        way->promised ? RATIO_MAX : NO_BOUND, 1.2});
	free(against);
	free(name);
}

void bench_compare(void)
{
	/* The first is what is promised: the rows of which a comparison is made.
	 * The others say what the transport itself takes: the answer is one stored
	 * row, and a text is made of stored cells. */
	static const struct way ways[] = {
	        {"compare", "", "its boots and numbers", reading_facts, true},
	        {"compare_stored", "", "its stored text alone", reading_body, false},
	        {"compare_text", "?format=text", "its stored cells", reading_cells, false},
	};
	struct side *s = xcalloc(2, sizeof(*s));

	/* Both before the first connection: a silent one is closed. */
	for (size_t i = 0; i < 2; i++)
		s[i].world = stored(sizes[i]);
	for (size_t i = 0; i < 2; i++) {
		char *db;

		db = world_db(s[i].world);
		s[i].reading = reading_open(db);
		s[i].wire = wire_connect(s[i].world);
		free(db);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		ask(&ways[i], s);
	for (size_t i = 0; i < 2; i++) {
		reading_close(s[i].reading);
		wire_close(&s[i].wire);
	}
	free(s);
}
