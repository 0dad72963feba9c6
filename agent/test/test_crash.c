/*
 * The agent is killed (-9) in every state, its files are torn, its disk fills:
 * nothing is lost, nothing is done twice, and it always starts again.
 */
#include "agent/test/harness.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	struct harness *h = xcalloc(1, sizeof(*h));

	harness_init(h);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	harness_release(*state);
	free(*state);
	return 0;
}

#define RESOLVE "{\"slot\":\"git\",\"script\":[\"count\",\"mark fetched\"]}"
#define RESOLVE_HOLDS                                                          \
	"{\"slot\":\"git\",\"script\":[\"count\",\"daemon\",\"hold claimed\"," \
	"\"mark fetched\",\"hold fetched\"]}"
#define BUILD_HOLDS                                                                             \
	"{\"script\":[\"count\",\"daemon\",\"hold claimed\",\"mark fetched\",\"hold fetched\"," \
	"\"mark configured\",\"hold configured\",\"mark built\",\"hold built\",\"artifact k\"]}"
#define BOOT_HOLDS                                                                             \
	"{\"board\":\"b0\",\"script\":[\"count\",\"daemon\",\"hold claimed\",\"mark staged\"," \
	"\"hold staged\",\"mark armed\",\"hold armed\",\"mark booted\",\"hold booted\","       \
	"\"mark measured\",\"hold measured\"]}"

static const struct point {
	const char *kind, *slot, *at, *spec;
} points[] = {
        {"resolve", "git", "claimed", RESOLVE_HOLDS},  {"resolve", "git", "fetched", RESOLVE_HOLDS},
        {"build", "build", "claimed", BUILD_HOLDS},    {"build", "build", "fetched", BUILD_HOLDS},
        {"build", "build", "configured", BUILD_HOLDS}, {"build", "build", "built", BUILD_HOLDS},
        {"boot", "board-b0", "claimed", BOOT_HOLDS},   {"boot", "board-b0", "staged", BOOT_HOLDS},
        {"boot", "board-b0", "armed", BOOT_HOLDS},     {"boot", "board-b0", "booted", BOOT_HOLDS},
        {"boot", "board-b0", "measured", BOOT_HOLDS},
};

static void assert_once(struct harness *h, int64_t id, int64_t attempt)
{
	struct fake_job j = fake_job(h->server, id);
	char want[48];

	assert_int_equal(j.results, 1);
	assert_int_equal(j.attempt, attempt);
	snprintf(want, sizeof(want), "\"attempt\":%" PRId64, attempt);
	assert_non_null(strstr(j.result, want));
	assert_non_null(strstr(j.result, "\"state\":\"done\""));
	fake_job_release(&j);
}

static void at_every_state(struct harness *h, int sig)
{
	fake_lease_s(h->server, 60);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		const struct point *p = &points[i];
		int announced;
		int64_t id;

		hold(h, p->at);
		/* A killed agent's last request for work may still be on its way: it
		 * must not get this job, and hold its lease for a minute. */
		announced = fake_announces(h->server);
		agent_start(h);
		wait_for(fake_announces(h->server) > announced);
		id = fake_add(h->server, p->kind, p->spec);
		wait_for(times_run(h, id) == 1 && strcmp(state_of(h, p->slot), p->at) == 0);
		agent_end(h, sig);
		assert_string_equal(state_of(h, p->slot), p->at);
		let_go(h, p->at);
		agent_start(h);
		wait_for(job_done(h, id));
		/* what it had started, in or outside its group, is gone */
		wait_for(pids_gone(h));
		assert_int_equal(times_run(h, id), 2);
		assert_once(h, id, 1);
		wait_for(strcmp(state_of(h, p->slot), "idle") == 0);
		agent_end(h, SIGKILL);
	}
	assert_int_equal(fake_claims(h->server), ARRAY_SIZE(points));
	assert_int_equal(entries(h, "dead"), 0);
}

static void test_kill_at_every_state(void **state)
{
	at_every_state(*state, SIGKILL);
}

static void test_term_at_every_state(void **state)
{
	at_every_state(*state, SIGTERM);
}

/* The result is in the spool: the step does not run again. */
static void test_kill_spooled(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", "{\"script\":[\"count\",\"artifact k\"]}");

	fake_lease_s(h->server, 60);
	fake_refuse_results(h->server, 500);
	agent_start(h);
	wait_for(strcmp(state_of(h, "build"), "spooled") == 0);
	for (int i = 0; i < 3; i++) {
		agent_end(h, SIGKILL);
		assert_string_equal(state_of(h, "build"), "spooled");
		agent_start(h);
		for (int k = 0; k < 20; k++)
			harness_pause();
	}
	fake_refuse_results(h->server, 0);
	wait_for(job_done(h, id));
	assert_int_equal(times_run(h, id), 1);
	assert_once(h, id, 1);
	wait_for(entries(h, "spool") == 0 && entries(h, "trash") == 0);
}

static void overwrite(struct harness *h, const char *path, const char *text)
{
	char *full = path_join(h->base, path);
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	free(full);
}

#define RESULT "{\"state\":\"done\",\"class\":null,\"why\":null,\"build\":{},\"artifacts\":[]}"

/* Killed between two moves that belong together: what is on the disk decides. */
static void test_between_moves(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", "{\"script\":[\"count\",\"hold x\"]}");
	char from[160], to[160];

	fake_lease_s(h->server, 60);
	hold(h, "x");
	agent_start(h);
	wait_for(times_run(h, id) == 1);
	agent_end(h, SIGKILL);
	/* the result was written, and nothing else any more */
	overwrite(h, "agent/jobs/1-1/result.json", RESULT);
	agent_start(h);
	wait_for(job_done(h, id));
	assert_int_equal(times_run(h, id), 1);
	assert_once(h, id, 1);

	/* it was moved into the spool, and the state does not know */
	id = fake_add(h->server, "build", "{\"script\":[\"count\",\"hold x\"]}");
	wait_for(times_run(h, id) == 1);
	agent_end(h, SIGKILL);
	overwrite(h, "agent/jobs/2-1/result.json", RESULT);
	snprintf(from, sizeof(from), "%s/jobs/2-1", h->dir);
	snprintf(to, sizeof(to), "%s/spool/00000001-2-1", h->dir);
	assert_int_equal(rename(from, to), 0);
	agent_start(h);
	wait_for(job_done(h, id));
	assert_int_equal(times_run(h, id), 1);
	assert_once(h, id, 1);
	wait_for(strcmp(state_of(h, "build"), "idle") == 0);
}

/* The lease ended while the agent was away: it gives the job up, and takes it
 * again as another attempt. */
static void test_lease_ended_meanwhile(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", "{\"script\":[\"count\",\"hold x\"]}");

	fake_lease_s(h->server, 1);
	hold(h, "x");
	agent_start(h);
	wait_for(times_run(h, id) == 1);
	agent_end(h, SIGKILL);
	for (int k = 0; k < 240; k++)
		harness_pause();
	let_go(h, "x");
	fake_lease_s(h->server, 60);
	agent_start(h);
	wait_for(job_done(h, id));
	assert_true(log_says(h, "job.fenced"));
	assert_once(h, id, 2);
	assert_int_equal(times_run(h, id), 2);
	assert_int_equal(entries(h, "dead"), 0);
}

/* Killed with the server away: it goes on without asking. */
static void test_resume_without_server(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", "{\"script\":[\"count\",\"hold x\"]}");

	fake_lease_s(h->server, 60);
	hold(h, "x");
	agent_start(h);
	wait_for(times_run(h, id) == 1);
	agent_end(h, SIGKILL);
	fake_down(h->server);
	let_go(h, "x");
	agent_start(h);
	wait_for(entries(h, "spool") == 1);
	fake_up(h->server);
	wait_for(job_done(h, id));
	assert_int_equal(times_run(h, id), 2);
	assert_once(h, id, 1);
}

/* An agent that is killed in the same job again and again says so. */
static void test_interrupted_forever(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", "{\"script\":[\"count\",\"hang\"]}");
	struct fake_job j;

	fake_lease_s(h->server, 60);
	for (int i = 1; i <= 10; i++) {
		agent_start(h);
		wait_for(times_run(h, id) == i);
		agent_end(h, SIGKILL);
	}
	agent_start(h);
	wait_for(job_done(h, id));
	j = fake_job(h->server, id);
	assert_non_null(strstr(j.result, "was interrupted 10 times"));
	assert_non_null(strstr(j.result, "\"class\":\"infra\""));
	fake_job_release(&j);
}

static void test_torn_state(void **state)
{
	static const char *const torn[] = {
	        "",
	        "{",
	        "{\"format\":1,\"state\":\"fet",
	        "\xff\xfe\x01",
	        "[]",
	        "{\"format\":2,\"state\":\"idle\"}",
	        "{\"format\":1,\"state\":\"flying\"}",
	        "{\"format\":1,\"state\":\"fetched\"}",
	        "{\"format\":1,\"state\":\"fetched\",\"kind\":\"build\",\"job\":-1,\"attempt\":1,"
	        "\"lease_s\":60,\"starts\":1}",
	        "{\"format\":1,\"state\":\"idle\",\"extra\":1}",
	};
	struct harness *h = *state;
	char *kept;

	for (size_t i = 0; i < ARRAY_SIZE(torn); i++) {
		int64_t id;
		char name[64];

		agent_start(h);
		wait_for(fake_announces(h->server) == (int)(2 * i) + 1);
		agent_end(h, SIGKILL);
		overwrite(h, "agent/state/build.json", torn[i]);
		agent_start(h);
		id = fake_add(h->server, "resolve", RESOLVE);
		wait_for(job_done(h, id));
		wait_for(fake_announces(h->server) == (int)(2 * i) + 2);
		snprintf(name, sizeof(name), "agent/state/build.json.bad-%zu", i + 1);
		kept = content(h, name);
		assert_string_equal(kept, torn[i]);
		free(kept);
		agent_end(h, SIGKILL);
	}
	assert_true(log_says(h, "state.set_aside"));
}

static void test_torn_spool(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "resolve", RESOLVE);
	char *text;

	fake_lease_s(h->server, 1);
	fake_refuse_results(h->server, 500);
	agent_start(h);
	wait_for(strcmp(state_of(h, "git"), "spooled") == 0);
	agent_end(h, SIGKILL);
	fake_refuse_results(h->server, 0);
	overwrite(h, "agent/spool/00000001-1-1/result.json", "{\"state\":\"do");
	overwrite(h, "agent/spool/notes.txt", "what is this");
	overwrite(h, "agent/spool/7-1-1", "no such name is ours");
	overwrite(h, "agent/spool/00000007-0-1", "nor such a job");
	overwrite(h, "agent/spool/00000007-1-1-1", "nor that");
	overwrite(h, "agent/spool/00000007-1", "nor that");
	agent_start(h);
	/* the job is lost here, not to the server */
	wait_for(job_done(h, id));
	assert_once(h, id, 2);
	assert_int_equal(entries(h, "dead"), 6);
	text = dead_file(h, "why");
	assert_non_null(strstr(text, "refused: result.json"));
	free(text);
	text = content(h, "agent/dead/notes.txt");
	assert_string_equal(text, "what is this");
	free(text);
	assert_true(log_says(h, "spool.foreign"));
}

/* A board that is not in the configuration any more, and files of nobody. */
static void test_leftovers(void **state)
{
	struct harness *h = *state;
	int64_t id =
	        fake_add(h->server, "boot", "{\"board\":\"b0\",\"script\":[\"count\",\"hold x\"]}");

	hold(h, "x");
	agent_start(h);
	wait_for(times_run(h, id) == 1);
	agent_end(h, SIGKILL);
	h->boards = 0;
	agent_start(h);
	wait_for(entries(h, "jobs") == 0 && entries(h, "trash") == 0);
	id = fake_add(h->server, "resolve", RESOLVE);
	wait_for(job_done(h, id));
	/* it comes back, and finds that the job's directory is gone */
	agent_end(h, SIGKILL);
	let_go(h, "x");
	h->boards = 1;
	agent_start(h);
	id = fake_add(h->server, "boot", "{\"board\":\"b0\",\"script\":[\"count\"]}");
	wait_for(job_done(h, id));
}

static void make_theirs(const char *path)
{
	assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
	assert_int_equal(chown(path, 65534, 65534), 0);
}

/* A cache of 1 MiB that the agent's user owns. */
static void cache_make(struct harness *h, const char *room, const char *name)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", h->dir, room);
	make_theirs(path);
	snprintf(path, sizeof(path), "%s/%s/%s", h->dir, room, name);
	make_theirs(path);
	snprintf(path, sizeof(path), "%s/%s/%s/big", h->dir, room, name);
	fd = open(path, O_WRONLY | O_CREAT, 0666);
	assert_int_equal(posix_fallocate(fd, 0, 1 << 20), 0);
	close(fd);
}

/* The disk is full when the result is to be written: caches go, the spool stays. */
static void test_full_disk(void **state)
{
	struct harness *h = *state;
	int64_t id;

	if (geteuid() != 0 || mount("none", h->dir, "tmpfs", 0, "size=4m,mode=0777") != 0)
		skip();
	fake_down(h->server);
	id = fake_add(h->server, "build",
	              "{\"script\":[\"count\",\"hold x\",\"fill\",\"mark fetched\"]}");
	hold(h, "x");
	fake_up(h->server);
	agent_start(h);
	wait_for(times_run(h, id) == 1);
	cache_make(h, "builds", "old");
	cache_make(h, "mirrors", "new");
	let_go(h, "x");
	wait_for(job_done(h, id));
	assert_once(h, id, 1);
	/* one was enough, and it was the one that was used longest ago */
	assert_int_equal(entries(h, "builds"), 0);
	assert_int_equal(entries(h, "mirrors"), 1);
	wait_for(strcmp(state_of(h, "build"), "idle") == 0);
	assert_int_equal(times_run(h, id), 1);
	/* room again: the next job is taken */
	id = fake_add(h->server, "resolve", RESOLVE);
	wait_for(job_done(h, id));
}

/* Below the reserve nothing new is taken; caches make room. */
static void test_reserve(void **state)
{
	struct harness *h = *state;
	int64_t id;

	h->reserve = INT64_MAX / 2;
	id = fake_add(h->server, "resolve", RESOLVE);
	agent_start(h);
	wait_for(log_says(h, "disk.low"));
	assert_int_equal(fake_claims(h->server), 0);
	agent_end(h, SIGTERM);
	h->reserve = 0;
	agent_start(h);
	wait_for(job_done(h, id));
}

/* Killed at any moment, forty times: every job has exactly one result. */
static void test_chaos(void **state)
{
	struct harness *h = *state;
	unsigned int seed = 20240215;
	int64_t ids[12];
	bool all = false;
	int rounds;

	h->boards = 2;
	fake_lease_s(h->server, 1);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		static const char *const specs[] = {
		        "{\"script\":[\"count\",\"mark fetched\",\"mark configured\",\"mark "
		        "built\","
		        "\"artifact k\",\"print 100000\"]}",
		        "{\"board\":\"b0\",\"script\":[\"count\",\"mark staged\",\"mark armed\","
		        "\"mark booted\",\"mark measured\",\"print 1000\"]}",
		        "{\"board\":\"b1\",\"script\":[\"count\",\"daemon\",\"mark staged\","
		        "\"outside z\"]}",
		};

		ids[i] = fake_add(h->server, i % 3 ? "boot" : "build", specs[i % 3]);
	}
	for (rounds = 0; rounds < 40; rounds++) {
		int64_t until;

		agent_start(h);
		until = clock_mono_ns() + (rand_r(&seed) % 160) * NS_PER_MS;
		while (clock_mono_ns() < until)
			usleep(200);
		agent_end(h, SIGKILL);
	}
	agent_start(h);
	for (int ms = 0; ms < 20000 && !all; ms += 5) {
		harness_pause();
		all = true;
		for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
			all = all && job_done(h, ids[i]);
	}
	if (!all)
		harness_tell(h, "all jobs done");
	assert_true(all);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct fake_job j = fake_job(h->server, ids[i]);

		assert_int_equal(j.results, 1);
		fake_job_release(&j);
	}
	wait_for(strcmp(state_of(h, "build"), "idle") == 0 && entries(h, "spool") == 0 &&
	         entries(h, "jobs") == 0 && entries(h, "trash") == 0);
	wait_for(pids_gone(h));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_kill_at_every_state, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_term_at_every_state, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_kill_spooled, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_between_moves, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_lease_ended_meanwhile, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_resume_without_server, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_interrupted_forever, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_torn_state, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_torn_spool, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_reserve, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_chaos, setup, teardown),
	};

	harness_agent(argc, argv);
	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
