/*
 * ingest.c - samples acknowledged a second, over HTTP and straight into SQLite.
 *
 * Boots of 60 runs x 100 samples are claimed and their answers written down
 * first, one board each, because a real board measures between its claim and
 * its answer. Timed is from the first byte of the answers until the last is
 * acknowledged. Then the rows that the server stored for them go into a copy of
 * its database that was made before, one transaction a boot, with the same
 * settings. Rounds alternate, and the ratio is the median of theirs, so that a
 * busy machine weighs on both alike.
 */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define EACH   5  /* boards of one client, as of an agent with five */
#define BOOTS  40 /* of a round */
#define ROUNDS 8
#define PLAN   8 /* boots of a kernel and board */

struct sender {
	pthread_t thread;
	pthread_barrier_t *gate;
	struct client *client;
	const struct answer *answer;
	size_t count;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;

	pthread_barrier_wait(s->gate);
	for (size_t i = 0; i < s->count; i++)
		post(s->client, &s->answer[i]);
	return NULL;
}

static double send_all_of(struct sender *s, size_t clients, const struct answer *a)
{
	pthread_barrier_t gate;
	int64_t begin;

	pthread_barrier_init(&gate, NULL, (unsigned int)clients + 1);
	for (size_t i = 0; i < clients; i++) {
		s[i].gate = &gate;
		s[i].count = EACH;
		s[i].answer = a + i * EACH;
		if (pthread_create(&s[i].thread, NULL, send_all, &s[i]))
			die("cannot start a client's thread");
	}
	begin = clock_mono_ns();
	pthread_barrier_wait(&gate);
	for (size_t i = 0; i < clients; i++)
		pthread_join(s[i].thread, NULL);
	pthread_barrier_destroy(&gate);
	return (double)(clock_mono_ns() - begin) / 1e9;
}

/* Claims outside the time, EACH boots of each client in it. */
static double send_round(const struct world *w, struct sender *s, size_t clients)
{
	struct answer a[BOOTS];
	double took = 0;

	for (size_t done = 0; done < BOOTS; done += clients * EACH) {
		for (size_t i = 0; i < clients * EACH; i++)
			if (!claim(w->worker, i, &a[i]))
				die("there is no job for board %zu", i);
		took += send_all_of(s, clients, a);
		for (size_t i = 0; i < clients * EACH; i++)
			answer_release(&a[i]);
	}
	return took;
}

static double insert_round(struct straight *st, const char *db, int64_t after, double *cpu_s)
{
	struct rows **rows;
	size_t n = straight_load(db, after, &rows);
	double before = usage_of(getpid()).cpu_s, took;
	int64_t begin = clock_mono_ns();

	if (n != BOOTS)
		die("%zu boots are stored of %d", n, BOOTS);
	for (size_t i = 0; i < n; i++)
		straight_insert(st, rows[i]);
	took = (double)(clock_mono_ns() - begin) / 1e9;
	*cpu_s = usage_of(getpid()).cpu_s - before;
	for (size_t i = 0; i < n; i++)
		rows_free(rows[i]);
	free(rows);
	return took;
}

static void measure(size_t clients)
{
	char name[32], work[32], *against, *db, *copy;
	struct world *w;
	struct straight *st;
	struct sender s[CLIENTS] = {0};
	double ratio[ROUNDS], http = 0, sqlite = 0, cpu = 0, own = 0;

	snprintf(name, sizeof(name), "ingest_%zu", clients);
	snprintf(work, sizeof(work), "ingest_%zu_processor", clients);
	note("%s: %d rounds of %d boots", name, ROUNDS, BOOTS);
	w = world_start(name);
	db = world_db(w);
	copy = xasprintf("%s/straight.db", w->dir);
	world_boards(w, clients * EACH);
	for (size_t jobs = 0; jobs < ROUNDS * BOOTS; jobs += clients * EACH * PLAN)
		world_submit(w, 1, PLAN, 0, clients * EACH);
	st = straight_copy(db, copy);
	for (size_t i = 0; i < clients; i++)
		s[i].client = world_worker(w);
	for (size_t round = 0; round < ROUNDS; round++) {
		int64_t newest = straight_newest(db);
		double one, other, before, mine;

		world_quiet(w);
		before = usage_of(w->server.pid).cpu_s;
		one = send_round(w, s, clients);
		world_quiet(w);
		cpu += usage_of(w->server.pid).cpu_s - before;
		other = insert_round(st, db, newest, &mine);
		own += mine;
		ratio[round] = other / one;
		http += one;
		sqlite += other;
	}
	against = xasprintf("%.0f samples/s of the same rows straight into SQLite",
	                    ROUNDS * BOOTS * CASES * SAMPLES / sqlite);
	report(&(struct figure){name, ROUNDS * BOOTS * CASES * SAMPLES / http, "samples/s",
	                        quantile(ratio, ROUNDS, 0.5), against, RATIO_MIN, 0.5});
	free(against);
	/* What does not change with who else is on the machine. */
	cpu *= 1e3 / (ROUNDS * BOOTS);
	own *= 1e3 / (ROUNDS * BOOTS);
	against =
	        xasprintf("%.2f ms of processor a boot straight into SQLite; with the claims", own);
	report(&(struct figure){work, cpu, "ms/boot", cpu / own, against, NO_BOUND, 0});
	for (size_t i = 0; i < clients; i++)
		client_free(s[i].client);
	straight_close(st);
	world_stop(w);
	free(against);
	free(copy);
	free(db);
}

void bench_ingest(void)
{
	measure(1);
	measure(CLIENTS);
}
