/*
 * memory.c - resident memory and processor time of server and agent.
 *
 * The server has 10 M samples; loaded, eight clients put comparisons, lists,
 * samples and results on it at once, and its peak counts (which has the storing
 * of all the samples in it). The agent is the real one with a virtual board;
 * loaded, it supervises a boot: of the Image that IMAGE names, else of one that
 * never comes up.
 */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define IDLE_MS    20000
#define LOAD_TURNS 60
#define AGENT_MS   15000

struct reader {
	pthread_t thread;
	struct world *world;
};

static void *read_things(void *arg)
{
	static const char *const paths[] = {
	        "/api/v1/comparisons/%lld",
	        "/api/v1/comparisons/%lld?format=text",
	        "/api/v1/submissions/%lld",
	        "/api/v1/submissions/%lld/samples?case=fork/order=0,size=16M",
	        "/api/v1/jobs?limit=500&submission=%lld",
	        "/api/v1/boots/%lld",
	};
	struct reader *r = arg;
	struct wire c = wire_connect(r->world);

	for (int64_t n = 0; n < LOAD_TURNS; n++)
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
			char path[128];

			/* The paths are the constants above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(path, sizeof(path), paths[i],
			         (long long)(1 + n % r->world->submissions));
#pragma GCC diagnostic pop
			wire_get(&c, path);
		}
	wire_close(&c);
	return NULL;
}

static void load_server(struct world *w)
{
	struct reader r[CLIENTS];
	struct answer a;

	world_submit(w, KERNELS_MAX, 4, 0, CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++) {
		r[i].world = w;
		if (pthread_create(&r[i].thread, NULL, read_things, &r[i]))
			die("cannot start a client's thread");
	}
	for (size_t i = 0; i < CLIENTS; i++)
		while (claim(w->worker, i, &a)) {
			post(w->worker, &a);
			answer_release(&a);
		}
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(r[i].thread, NULL);
}

static void start_agent(struct world *w)
{
	if (w->agent.pid)
		return;
	world_agent(w);
	sleep_ms(3000);
}

/* The highest of the agent's resident memory while it holds a boot. */
static double load_agent(struct world *w)
{
	int64_t sub = world_boot_image(w), until = clock_mono_ns() + AGENT_MS * NS_PER_MS;
	double top = 0;

	while (clock_mono_ns() < until) {
		struct usage u = usage_of(w->agent.pid);

		top = u.rss_mib > top ? u.rss_mib : top;
		sleep_ms(20);
	}
	if (!world_booted(w, sub))
		die("the agent took no boot: see %s/foldwatch-agent.log", w->dir);
	world_cancel(w, sub);
	return top;
}

void bench_memory(void)
{
	struct world *w = stored(10);
	struct usage u;

	world_quiet(w);
	u = usage_of(w->server.pid);
	report(&(struct figure){"memory_server_idle", u.rss_mib, "MiB", NAN, NULL, VALUE_MAX, 64});
	load_server(w);
	u = usage_of(w->server.pid);
	report(&(struct figure){"memory_server_loaded", u.peak_mib, "MiB", NAN, NULL, VALUE_MAX,
	                        64});
	start_agent(w);
	u = usage_of(w->agent.pid);
	report(&(struct figure){"memory_agent_idle", u.rss_mib, "MiB", NAN, NULL, VALUE_MAX, 10});
	report(&(struct figure){"memory_agent_loaded", load_agent(w), "MiB", NAN, NULL, VALUE_MAX,
	                        10});
}

void bench_idle(void)
{
	struct world *w = stored(10);
	struct usage server, agent;
	int64_t begin;
	double s;

	start_agent(w);
	world_rest(w);
	server = usage_of(w->server.pid);
	agent = usage_of(w->agent.pid);
	begin = clock_mono_ns();
	sleep_ms(IDLE_MS);
	s = (double)(clock_mono_ns() - begin) / 1e9;
	report(&(struct figure){"idle_server",
	                        (usage_of(w->server.pid).cpu_s - server.cpu_s) / s * 100, "%", NAN,
	                        NULL, VALUE_MAX, 0.5});
	report(&(struct figure){"idle_agent",
	                        (usage_of(w->agent.pid).cpu_s - agent.cpu_s) / s * 100, "%", NAN,
	                        NULL, VALUE_MAX, 0.5});
}
