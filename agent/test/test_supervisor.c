/*
 * The agent's loop with a server that obeys and one that does not: claims,
 * leases, logs, results. What a crash does stands in test_crash.c.
 */
#include "agent/test/harness.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define BUILD                                                                         \
	"{\"script\":[\"count\",\"mark fetched\",\"mark configured\",\"mark built\"," \
	"\"artifact hello\"]}"
#define RESOLVE "{\"slot\":\"git\",\"script\":[\"count\",\"mark fetched\"]}"

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

static void assert_result(struct harness *h, int64_t id, const char *part)
{
	struct fake_job j = fake_job(h->server, id);

	assert_int_equal(j.results, 1);
	if (!strstr(j.result, part))
		fail_msg("result %s lacks %s", j.result, part);
	fake_job_release(&j);
}

static void test_three_kinds(void **state)
{
	struct harness *h = *state;
	int64_t resolve = fake_add(h->server, "resolve", RESOLVE);
	int64_t build = fake_add(h->server, "build", BUILD);
	int64_t boot =
	        fake_add(h->server, "boot",
	                 "{\"board\":\"b0\",\"script\":[\"mark staged\",\"mark armed\",\"mark "
	                 "booted\",\"mark measured\"]}");
	char hex[SHA256_HEX], *announced;

	agent_start(h);
	wait_for(job_done(h, resolve) && job_done(h, build) && job_done(h, boot));
	assert_result(h, resolve, "\"resolve\":{\"job\":1}");
	assert_result(h, resolve, "\"attempt\":1");
	assert_result(h, build, "\"state\":\"done\"");
	assert_result(h, boot, "\"boot\":{\"job\":3}");
	hash_block("hello", 5, hex);
	assert_true(fake_has_artifact(h->server, hex));
	wait_for(strcmp(state_of(h, "build"), "idle") == 0 &&
	         strcmp(state_of(h, "board-b0"), "idle") == 0);
	wait_for(entries(h, "jobs") == 0 && entries(h, "spool") == 0 && entries(h, "trash") == 0);
	assert_int_equal(entries(h, "dead"), 0);
	announced = fake_announced(h->server);
	assert_non_null(strstr(announced, "\"name\":\"b0\""));
	assert_non_null(strstr(announced, "\"compiler\":\"gcc"));
	free(announced);
	assert_true(WIFEXITED(agent_end(h, SIGTERM)));
}

/* Boards and the builder work side by side: none of the three can end alone. */
static void test_side_by_side(void **state)
{
	struct harness *h = *state;

	h->boards = 2;
	hold(h, "all");
	for (int i = 0; i < 2; i++) {
		fake_add(h->server, "build", "{\"script\":[\"count\",\"hold all\"]}");
		fake_add(h->server, "boot",
		         "{\"board\":\"b0\",\"script\":[\"count\",\"hold all\"]}");
		fake_add(h->server, "boot",
		         "{\"board\":\"b1\",\"script\":[\"count\",\"hold all\"]}");
	}
	agent_start(h);
	wait_for(times_run(h, 1) && times_run(h, 2) && times_run(h, 3));
	/* one at a time each */
	assert_int_equal(fake_claims(h->server), 3);
	let_go(h, "all");
	for (int64_t id = 1; id <= 6; id++)
		wait_for(job_done(h, id));
}

/* What only asks git does not wait for a build, and is one at a time as well. */
static void test_looks_beside_a_build(void **state)
{
	struct harness *h = *state;
	int64_t build = fake_add(h->server, "build", "{\"script\":[\"count\",\"hold all\"]}"),
	        walk[2], resolve, next;

	hold(h, "all");
	agent_start(h);
	wait_for(times_run(h, build) == 1);
	for (int i = 0; i < 3; i++) {
		walk[0] = fake_add(h->server, "walk", RESOLVE);
		resolve = fake_add(h->server, "resolve", RESOLVE);
		wait_for(job_done(h, walk[0]) && job_done(h, resolve));
	}
	assert_false(job_done(h, build));
	next = fake_add(h->server, "build", "{\"script\":[\"count\"]}");
	hold(h, "look");
	for (int i = 0; i < 2; i++)
		walk[i] = fake_add(h->server, "walk", "{\"script\":[\"count\",\"hold look\"]}");
	wait_for(times_run(h, walk[0]) == 1);
	for (int i = 0; i < 50; i++)
		harness_pause();
	assert_int_equal(times_run(h, walk[1]), 0);
	assert_int_equal(times_run(h, next), 0);
	let_go(h, "look");
	wait_for(job_done(h, walk[0]) && job_done(h, walk[1]));
	assert_false(job_done(h, build));
	let_go(h, "all");
	wait_for(job_done(h, build) && job_done(h, next));
}

/* In the order in which they ended, and a refused one does not hold up the next. */
static void test_order(void **state)
{
	struct harness *h = *state;
	int64_t ids[4];

	h->boards = 3;
	fake_lease_s(h->server, 60);
	for (int i = 0; i < 3; i++) {
		char spec[128], name[8];

		snprintf(spec, sizeof(spec), "{\"board\":\"b%d\",\"script\":[\"hold %d\"]}", i, i);
		snprintf(name, sizeof(name), "%d", i);
		fake_add(h->server, "boot", spec);
		hold(h, name);
	}
	agent_start(h);
	wait_for(fake_claims(h->server) == 3);
	fake_down(h->server);
	let_go(h, "2");
	wait_for(entries(h, "spool") == 1);
	let_go(h, "0");
	wait_for(entries(h, "spool") == 2);
	let_go(h, "1");
	wait_for(entries(h, "spool") == 3);
	/* also after a start, when the directory is all that tells it */
	agent_end(h, SIGKILL);
	agent_start(h);
	wait_for(log_says(h, "server.away"));
	fake_up(h->server);
	wait_for(job_done(h, 1) && job_done(h, 2) && job_done(h, 3));
	fake_order(h->server, ids, 4);
	assert_int_equal(ids[0], 3);
	assert_int_equal(ids[1], 1);
	assert_int_equal(ids[2], 2);
}

static void test_progress_and_log(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build",
	                      "{\"script\":[\"print 640\",\"progress 42\",\"hold p\"]}");
	struct fake_job j;
	bool so = false;

	hold(h, "p");
	agent_start(h);
	for (int i = 0; i < 1000 && !so; i++) {
		harness_pause();
		j = fake_job(h->server, id);
		/* while it runs, not at its end */
		so = j.max_done == 42 && j.log_len == 640 && !j.done;
		fake_job_release(&j);
	}
	assert_true(so);
	let_go(h, "p");
	wait_for(job_done(h, id));
	j = fake_job(h->server, id);
	assert_int_equal(j.log_len, 640);
	fake_job_release(&j);
}

static void test_loud_step(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", "{\"script\":[\"print 104857600\"]}");
	struct fake_job j;

	agent_start(h);
	wait_for(job_done(h, id));
	j = fake_job(h->server, id);
	assert_int_equal(j.results, 1);
	/* the head, a note, the tail */
	assert_true(j.log_len > (4 << 20) + (64 << 10));
	assert_true(j.log_len < (4 << 20) + (64 << 10) + 200);
	assert_memory_equal(j.log, "line 00000000", 13);
	assert_non_null(strstr(j.log + (4 << 20), "bytes left out"));
	/* 104857600 / 62 lines, the last one cut */
	assert_non_null(strstr(j.log + (4 << 20), "0001691250\n"));
	fake_job_release(&j);
}

static void test_fails(void **state)
{
	struct harness *h = *state;
	int64_t told = fake_add(h->server, "build", "{\"script\":[\"fail build\"]}");
	int64_t error = fake_add(h->server, "build", "{\"script\":[\"error no qemu here\"]}");
	int64_t die = fake_add(h->server, "build", "{\"script\":[\"progress 7\",\"die\"]}");
	int64_t leave = fake_add(h->server, "build", "{\"script\":[\"exit\"]}");
	int64_t wrong = fake_add(h->server, "build", "{\"script\":[\"mark booted\"]}");

	agent_start(h);
	wait_for(job_done(h, wrong));
	assert_result(h, told, "\"class\":\"build\"");
	assert_result(h, told, "it was told to fail");
	assert_result(h, error, "\"class\":\"infra\"");
	assert_result(h, error, "no qemu here");
	assert_result(h, die, "\"class\":\"infra\"");
	assert_result(h, die, "killed by signal 9");
	assert_result(h, die, "\\\"compile\\\"");
	assert_result(h, leave, "exited with 3");
	assert_result(h, wrong, "cannot go from \\\"claimed\\\" to \\\"booted\\\"");
}

static void test_deadline(void **state)
{
	struct harness *h = *state;
	int64_t infra, build, next;

	h->timeout_s = 1;
	infra = fake_add(h->server, "build", "{\"script\":[\"child\",\"daemon\",\"hang\"]}");
	build = fake_add(h->server, "build",
	                 "{\"script\":[\"mark fetched\",\"mark configured\",\"hang\"]}");
	next = fake_add(h->server, "build", BUILD);
	agent_start(h);
	wait_for(job_done(h, next));
	assert_true(pids_gone(h));
	assert_result(h, infra, "\"class\":\"infra\"");
	assert_result(h, infra, "did not end within 1 s");
	assert_result(h, build, "\"class\":\"build\"");
}

static void test_cancel(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build",
	                      "{\"script\":[\"child\",\"daemon\",\"count\",\"hang\"]}");

	fake_lease_s(h->server, 1);
	agent_start(h);
	wait_for(times_run(h, id) == 1);
	fake_cancel(h->server, id);
	wait_for(pids_gone(h));
	wait_for(job_done(h, id));
	assert_result(h, id, "\"state\":\"failed\"");
	assert_result(h, id, "\"class\":\"infra\"");
	assert_result(h, id, "cancelled by the server");
	wait_for(strcmp(state_of(h, "build"), "idle") == 0);
	wait_for(entries(h, "jobs") == 0 && entries(h, "trash") == 0);
	assert_int_equal(entries(h, "spool"), 0);
	id = fake_add(h->server, "resolve", RESOLVE);
	wait_for(job_done(h, id));
}

/* The lease was lost in mid-step: the work is another's. */
static void test_lost_lease(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", "{\"script\":[\"count\",\"child\",\"hang\"]}");

	fake_lease_s(h->server, 1);
	agent_start(h);
	wait_for(times_run(h, id) == 1);
	fake_fence(h->server, id);
	wait_for(pids_gone(h));
	wait_for(log_says(h, "lease.lost"));
	assert_int_equal(entries(h, "dead"), 0);
}

/* It was lost, but the agent learns it only when it posts. */
static void test_fenced_result(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build",
	                      "{\"script\":[\"count\",\"artifact big\",\"hold f\"]}");
	char *why, *result;
	struct fake_job j;

	fake_lease_s(h->server, 600);
	hold(h, "f");
	agent_start(h);
	wait_for(times_run(h, id) == 1);
	fake_fence(h->server, id);
	let_go(h, "f");
	wait_for(entries(h, "dead") == 1);
	why = dead_file(h, "why");
	assert_string_equal(why, "fenced: the attempt is fenced\n");
	result = dead_file(h, "result.json");
	assert_non_null(strstr(result, "\"state\":\"done\""));
	wait_for(log_says(h, "spool.fenced"));
	wait_for(strcmp(state_of(h, "build"), "idle") == 0);
	j = fake_job(h->server, id);
	assert_int_equal(j.results, 0);
	fake_job_release(&j);
	free(result);
	free(why);
}

static void test_refused_for_good(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", BUILD);
	char *why, *kept;

	fake_lease_s(h->server, 60);
	fake_refuse_results(h->server, 422);
	agent_start(h);
	wait_for(entries(h, "dead") == 1);
	why = dead_file(h, "why");
	assert_string_equal(why, "refused: results are refused\n");
	kept = dead_file(h, "a-hello");
	assert_string_equal(kept, "hello");
	free(kept);
	free(why);
	fake_refuse_results(h->server, 0);
	id = fake_add(h->server, "resolve", RESOLVE);
	wait_for(job_done(h, id));
	wait_for(entries(h, "spool") == 0);
}

static void test_refused_for_now(void **state)
{
	static const int statuses[] = {500, 503, 429, 401, 403, 507};
	struct harness *h = *state;

	agent_start(h);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		int64_t id = fake_add(h->server, "resolve", RESOLVE);

		fake_refuse_results(h->server, statuses[i]);
		wait_for(strcmp(state_of(h, "git"), "spooled") == 0);
		for (int k = 0; k < 20; k++)
			harness_pause();
		assert_int_equal(entries(h, "spool"), 1);
		fake_refuse_results(h->server, 0);
		wait_for(job_done(h, id));
		wait_for(strcmp(state_of(h, "git"), "idle") == 0);
		assert_int_equal(times_run(h, id), 1);
	}
	assert_int_equal(entries(h, "dead"), 0);
}

/* While the result waits, its lease is kept. */
static void test_spooled_is_renewed(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "resolve", RESOLVE);

	fake_lease_s(h->server, 1);
	fake_refuse_results(h->server, 500);
	agent_start(h);
	wait_for(entries(h, "spool") == 1);
	for (int k = 0; k < 500; k++)
		harness_pause();
	fake_refuse_results(h->server, 0);
	wait_for(job_done(h, id));
	assert_int_equal(times_run(h, id), 1);
	assert_result(h, id, "\"attempt\":1");
}

static void test_server_away(void **state)
{
	struct harness *h = *state;
	int64_t id =
	        fake_add(h->server, "build", "{\"script\":[\"count\",\"hold a\",\"artifact x\"]}");
	int announces;

	fake_lease_s(h->server, 60);
	hold(h, "a");
	fake_down(h->server);
	agent_start(h);
	wait_for(log_says(h, "server.away"));
	fake_up(h->server);
	wait_for(times_run(h, id) == 1);
	announces = fake_announces(h->server);
	fake_down(h->server);
	let_go(h, "a");
	wait_for(entries(h, "spool") == 1);
	for (int k = 0; k < 100; k++)
		harness_pause();
	assert_string_equal(state_of(h, "build"), "spooled");
	fake_up(h->server);
	wait_for(job_done(h, id));
	assert_int_equal(times_run(h, id), 1);
	/* it tells again what it is: the server may have begun anew */
	wait_for(fake_announces(h->server) > announces);
}

/* Everything is answered, but nothing works. */
static void test_server_confused(void **state)
{
	static const int statuses[] = {500, 404, 400, 401, 302, 503};
	struct harness *h = *state;
	int64_t id;

	agent_start(h);
	wait_for(fake_announces(h->server) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		fake_refuse_all(h->server, statuses[i]);
		id = fake_add(h->server, "resolve", RESOLVE);
		for (int k = 0; k < 20; k++)
			harness_pause();
		fake_refuse_all(h->server, 0);
		wait_for(job_done(h, id));
	}
}

static void test_two_agents(void **state)
{
	struct harness *h = *state;
	pid_t first;
	int status;

	agent_start(h);
	wait_for(fake_announces(h->server) == 1);
	first = h->agent;
	agent_start(h);
	status = agent_wait(h);
	h->agent = first;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 6);
	assert_true(log_says(h, "foldwatch-agent: another agent works in "));
}

static void test_artifact_from_cache(void **state)
{
	struct harness *h = *state;
	int64_t id = fake_add(h->server, "build", "{\"script\":[\"outside cached\"]}");
	char hex[SHA256_HEX];

	agent_start(h);
	wait_for(job_done(h, id));
	hash_block("cached", 6, hex);
	assert_true(fake_has_artifact(h->server, hex));
	assert_result(h, id, "\"state\":\"done\"");
}

/* Leases that cannot be: none of them may stop the agent. */
static void test_bad_leases(void **state)
{
	struct harness *h = *state;
	int64_t id;

	fake_lease_s(h->server, 1);
	fake_add(h->server, "build", "[]");
	fake_add(h->server, "build", "7");
	fake_add(h->server, "resolve\",\"x\":\"", "{}");
	id = fake_add(h->server, "resolve", RESOLVE);
	agent_start(h);
	wait_for(job_done(h, id));
	assert_true(log_says(h, "job.malformed"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_three_kinds, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_side_by_side, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_looks_beside_a_build, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_progress_and_log, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_loud_step, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_fails, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_lost_lease, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_fenced_result, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_refused_for_good, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_refused_for_now, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_spooled_is_renewed, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_server_away, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_server_confused, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_two_agents, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_artifact_from_cache, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_bad_leases, setup, teardown),
	};

	harness_agent(argc, argv);
	return cmocka_run_group_tests_name("supervisor", tests, NULL, NULL);
}
