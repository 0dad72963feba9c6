/* foldwatch bisect-step against the real server: what `git bisect run` is told. */
#include "cli/test/place.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/test/tmpdir.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void git(struct place *p, const char *const *words)
{
	const char *argv[16] = {"git", "-c", "user.name=t", "-c", "user.email=t@localhost"};
	size_t n = 5;
	struct why w;

	for (; *words; words++)
		argv[n++] = *words;
	argv[n] = NULL;
	if (proc_run(&(struct proc_spec){.argv = argv, .dir = p->dir, .timeout_ns = 60 * NS_PER_S},
	             NULL, &w) != OK)
		fail_msg("git: %s", w.text);
}

#define GIT(p, ...) git(p, (const char *const[]){__VA_ARGS__, NULL})

static int setup(void **state)
{
	int rc = place_setup(state);
	struct place *p = *state;

	fake_announce(p->f, true);
	GIT(p, "init", "-q", "-b", "main", ".");
	GIT(p, "commit", "-q", "--allow-empty", "-m", "one");
	GIT(p, "tag", "v1");
	GIT(p, "commit", "-q", "--allow-empty", "-m", "two");
	return rc;
}

/* Runs the command while the fake agent works. */
static void step(struct place *p, struct ran *r, int code, const char *has)
{
	run_start(r, p->dir, p->server, p->submit, "bisect-step", "--good", "v1", "--case", CASE,
	          "--board", "det", NULL);
	for (int64_t until = clock_mono_ns() + 40 * NS_PER_S;
	     clock_mono_ns() < until && kill(r->pid, 0) == 0;) {
		siginfo_t info = {0};

		fake_work(p->f);
		if (waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid)
			break;
		usleep(20000);
	}
	run_wait(r);
	if (r->code != code)
		fail_msg("exit %d, not %d: %s%s", r->code, code, r->out, r->err);
	if (!strstr(code == 128 ? r->err : r->out, has))
		fail_msg("no \"%s\" in %s%s", has, r->out, r->err);
}

static void good(void **state)
{
	struct place *p = *state;
	struct ran r;

	step(p, &r, 0, "good: " CASE " on det, instructions: +0.00%");
	ran_release(&r);
}

static void bad(void **state)
{
	struct place *p = *state;
	struct ran r;

	p->f->slow_kernel = "head";
	step(p, &r, 1, "bad: " CASE " on det, instructions: +2.00% [");
	ran_release(&r);
}

static void not_to_be_built(void **state)
{
	struct place *p = *state;
	struct ran r;

	p->f->build_fails = "head";
	step(p, &r, 125, "skip: ");
	ran_release(&r);
}

static void never_valid(void **state)
{
	struct place *p = *state;
	struct ran r;

	p->f->bad_kernel = "head";
	p->f->bad_boots = -1;
	step(p, &r, 125, "skip: " CASE " on det");
	ran_release(&r);
}

/* The good one cannot be built: no commit can be judged. */
static void nothing_to_compare_with(void **state)
{
	struct place *p = *state;
	struct ran r;

	p->f->build_fails = "good";
	step(p, &r, 128, "is failed");
	ran_release(&r);
}

static void what_ends_a_bisection(void **state)
{
	struct place *p = *state;

	fails(p, p->submit, 128, "git knows no commit \"v9\"", "bisect-step", "--good", "v9",
	      "--case", CASE);
	fails(p, p->submit, 128, "needs --case", "bisect-step", "--good", "v1");
	fails(p, p->submit, 128, "no-such", "bisect-step", "--good", "v1", "--case", "no-such");
	fails(p, NULL, 128, "token", "bisect-step", "--good", "v1", "--case", CASE);
}

int main(void)
{
#define with(t) cmocka_unit_test_setup_teardown(t, setup, place_teardown)
	const struct CMUnitTest tests[] = {
	        with(good),
	        with(bad),
	        with(not_to_be_built),
	        with(never_valid),
	        with(nothing_to_compare_with),
	        with(what_ends_a_bisection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
