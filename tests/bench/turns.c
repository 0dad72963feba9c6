/*
 * turns.c - scheduling decisions a second, with the open submissions of 200 tracks.
 *
 * A decision is a claim that leases a job: the request, what is looked at to choose, the
 * commit, the answer. It is timed alone; the job is then failed, untimed, so that its
 * board is free again. First with two submissions of one submitter, then with 100,000
 * boots of 200 submitters on the same boards, of which each is a lane of its own: the
 * most that there can be to choose from.
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

/* Decisions a second; *p99_ms of one. */
static double rate(const struct world *w, double *p99_ms)
{
	double took[CLAIMS], sum = 0;

	for (size_t i = 0; i < CLAIMS; i++) {
		int64_t job, attempt;

		took[i] = decide(w, i % BOARDS, &job, &attempt);
		sum += took[i];
		give_back(w, job, attempt);
	}
	*p99_ms = quantile(took, CLAIMS, 0.99) * 1000;
	return CLAIMS / sum;
}

void bench_turns(void)
{
	struct world *w = world_start("turns");
	double few, many, p99_ms;

	world_boards(w, BOARDS);
	for (int i = 0; i < 2; i++)
		world_submit(w, KERNELS_MAX, BOOTS, 0, BOARDS);
	world_quiet(w);
	few = rate(w, &p99_ms);
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
	world_quiet(w);
	many = rate(w, &p99_ms);
	report(&(struct figure){"turns", many, "turns/s", many / few, "two submissions waiting",
	                        RATIO_MIN, 0.5});
	report(&(struct figure){"turn_p99", p99_ms, "ms", NAN, NULL, NO_BOUND, 0});
	world_stop(w);
}
