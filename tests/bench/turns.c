/*
 * turns.c - scheduling decisions a second, with the open submissions of 200 tracks.
 *
 * A decision is a claim that leases a job: the request, what is looked at to choose, the
 * commit, the answer. It is timed alone; the job is then failed, untimed, so that its
 * board is free again. One server has two submissions of one submitter, another 100,000
 * boots of 200 submitters on the same boards, of which each is a lane of its own: the
 * most that there can be to choose from. They decide in turn, so that what else runs
 * weighs on both alike.
 */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define BOARDS     4
#define SUBMITTERS 200
#define BOOTS      32
#define CLAIMS     400

/* A lease; how long it took to get it, in seconds. */
static double decide(const struct world *w, size_t board, int64_t *job, int64_t *attempt)
{
	json_t *body = json_pack("{s:o, s:[s], s:[o]}", "agent", json_sprintf("l%02zu", board),
	                         "kinds", "boot", "boards", json_sprintf("b%02zu", board));
	int64_t begin = clock_mono_ns(), took;
	struct reply r;
	struct why why;

	if (client_json(w->worker, "POST", "/api/v1/jobs/claim", body, NULL, &r, &why) != OK)
		die("claim: %s", why.text);
	took = clock_mono_ns() - begin;
	if (r.status != 200)
		die("there is no job for board %zu", board);
	*job = json_int(r.json, "id", -1);
	*attempt = json_int(r.json, "attempt", 0);
	reply_release(&r);
	json_decref(body);
	return (double)took / 1e9;
}

static void give_back(const struct world *w, int64_t job, int64_t attempt)
{
	json_t *body = json_pack("{s:I, s:s, s:s, s:s}", "attempt", (json_int_t)attempt, "state",
	                         "failed", "class", "bench", "why", "only the turn is measured");
	char path[64], key[32];
	struct reply r;
	struct why why;

	snprintf(path, sizeof(path), "/api/v1/jobs/%lld/result", (long long)job);
	snprintf(key, sizeof(key), "turn-%lld", (long long)job);
	if (client_json(w->worker, "POST", path, body, key, &r, &why) != OK)
		die("result of job %lld: %s", (long long)job, why.text);
	reply_release(&r);
	json_decref(body);
}

static double decided(const struct world *w, size_t turn)
{
	int64_t job, attempt;
	double took = decide(w, turn % BOARDS, &job, &attempt);

	give_back(w, job, attempt);
	return took;
}

static struct world *start(const char *name)
{
	struct world *w = world_start(name);

	world_boards(w, BOARDS);
	for (int i = 0; i < 2; i++)
		world_submit(w, KERNELS_MAX, BOOTS, 0, BOARDS);
	return w;
}

static void crowd(struct world *w)
{
	note("turns: %d submitters with %d boots each", SUBMITTERS, KERNELS_MAX * BOOTS * BOARDS);
	for (int i = 0; i < SUBMITTERS; i++) {
		struct client *own = w->submit;
		char label[32];

		snprintf(label, sizeof(label), "track-%03d", i);
		w->submit = world_submitter(w, label);
		world_submit(w, KERNELS_MAX, BOOTS, 0, BOARDS);
		client_free(w->submit);
		w->submit = own;
	}
}

void bench_turns(void)
{
	struct world *few = start("turns-few"), *many = start("turns");
	double took[CLAIMS], sum_few = 0, sum_many = 0;

	crowd(many);
	world_quiet(few);
	world_quiet(many);
	for (size_t i = 0; i < CLAIMS; i++) {
		sum_few += decided(few, i);
		took[i] = decided(many, i);
		sum_many += took[i];
	}
	report(&(struct figure){"turns", CLAIMS / sum_many, "turns/s", sum_few / sum_many,
	                        "two submissions waiting", RATIO_MIN, 0.5});
	report(&(struct figure){"turn_p99", quantile(took, CLAIMS, 0.99) * 1000, "ms", NAN, NULL,
	                        NO_BOUND, 0});
	world_stop(few);
	world_stop(many);
}
