/*
 * alerts.c - from the POST of a boot's result until the alert that follows from it is read.
 *
 * Once for a kernel that is slower: what is posted is the last boot of its submission. Once
 * for a kernel whose log shows a fault that nobody has seen: what is posted is that boot.
 * Each is a cause of its own, on a board of its own, so that whatever the server asks for
 * because of it is in nobody's way; what was posted before is digested first. The alert is
 * looked for over HTTP, once a millisecond.
 */
#include "tests/bench/bench.h"

#include "lib/clock.h"

#include <stdio.h>
#include <string.h>

#define TURNS  50
#define BOOTS  5 /* of a kernel */
#define MOST_S 30

struct turns {
	double acked_ms[TURNS]; /* the POST alone */
	double seen_ms[TURNS];
};

/* Whether the newest alert is of that kernel. */
static bool told(struct wire *c, const char *kernel)
{
	char word[40];

	snprintf(word, sizeof(word), "\"%s\"", kernel);
	wire_get(c, "/api/v1/alerts?limit=1");
	return strstr(c->in, word) != NULL;
}

static void await_alert(struct wire *c, const char *kernel)
{
	int64_t until = clock_mono_ns() + MOST_S * NS_PER_S;

	while (!told(c, kernel)) {
		if (clock_mono_ns() > until)
			die("there is no alert of %s after %d s", kernel, MOST_S);
		sleep_ms(1);
	}
}

static void one(struct world *w, struct wire *c, const char *kernel, size_t boots, size_t board,
                double *acked_ms, double *seen_ms)
{
	struct answer a;
	int64_t begin;

	for (size_t i = 0; i < boots; i++) {
		if (!claim(w->worker, board, &a))
			die("boot %zu of %s is not to be had", i, kernel);
		if (i + 1 < boots) {
			post(w->worker, &a);
			answer_release(&a);
		}
	}
	world_quiet(w);
	if (told(c, kernel))
		die("there is an alert of %s before its last boot", kernel);
	begin = clock_mono_ns();
	post(w->worker, &a);
	*acked_ms = (double)(clock_mono_ns() - begin) / 1e6;
	await_alert(c, kernel);
	*seen_ms = (double)(clock_mono_ns() - begin) / 1e6;
	answer_release(&a);
}

static void tell(const char *what, struct turns *t)
{
	double acked = quantile(t->acked_ms, TURNS, .5), half = quantile(t->seen_ms, TURNS, .5);
	char name[40];

	snprintf(name, sizeof(name), "alerts.%s_p50", what);
	report(&(struct figure){name, half, "ms", half / acked,
	                        "the same POST until it is acknowledged", NO_BOUND, 0});
	snprintf(name, sizeof(name), "alerts.%s_p99", what);
	report(&(struct figure){name, quantile(t->seen_ms, TURNS, .99), "ms", NAN, NULL, VALUE_MAX,
	                        1000});
}

void bench_alerts(void)
{
	struct world *w = world_start("alerts");
	struct wire c = wire_connect(w);
	static struct turns slower, fault;
	char kernel[32];

	/* In turn, so that what else runs weighs on both alike. */
	world_boards(w, (size_t)2 * TURNS);
	for (size_t i = 0; i < TURNS; i++) {
		snprintf(kernel, sizeof(kernel), "slow%02zu", i);
		world_submit_new(w, kernel, true, BOOTS, 2 * i);
		one(w, &c, kernel, (size_t)2 * BOOTS, 2 * i, &slower.acked_ms[i],
		    &slower.seen_ms[i]);
		snprintf(kernel, sizeof(kernel), "warn%02zu", i);
		world_submit_new(w, kernel, false, 1, 2 * i + 1);
		one(w, &c, kernel, 1, 2 * i + 1, &fault.acked_ms[i], &fault.seen_ms[i]);
	}
	tell("slower", &slower);
	tell("fault", &fault);
	wire_close(&c);
	world_stop(w);
}
