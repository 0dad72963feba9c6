/*
 * place.h - for contract tests of the commands: a server that runs, an agent
 * that is the test, a user's directory, and one line for a command.
 *
 *     prints(p, p->admin, "det: drained", "boards", "drain", "det", "why");
 *     fails(p, NULL, 5, "finished comparison", "compare", "latest");
 *     json_of(p, NULL, &o, "status");
 */
#ifndef FOLDWATCH_TEST_PLACE_H
#define FOLDWATCH_TEST_PLACE_H

#include "cli/test/run.h"
#include "server/test/fake_agent.h"

#define TREE   "https://git.example.org/linux.git"
#define CASE   "fork/order=0,size=16M"
#define CASE_9 "fork/order=9,size=16M"

struct place {
	struct fake *f;
	char *dir;
	/* for the environment */
	char *server, *submit, *admin;
};

/* cmocka set-up and tear-down; *state is a struct place. Run from the root of
 * the repository, whose kernel/ has the config sets. */
int place_setup(void **state);
int place_teardown(void **state);

static inline const char *token_or_none(const char *token)
{
	return token ? token : "FOLDWATCH_TOKEN=";
}

/* Runs with the server known: `token` NULL for none. */
#define cli(r, p, token, ...) \
	run_cli(r, (p)->dir, (p)->server, token_or_none(token), __VA_ARGS__, NULL)
#define fails(p, token, code, has, ...)          \
	do {                                     \
		struct ran r_;                   \
		cli(&r_, p, token, __VA_ARGS__); \
		expect_fail(&r_, code, has);     \
		assert_string_equal(r_.out, ""); \
		ran_release(&r_);                \
	} while (0)
#define prints(p, token, has, ...)               \
	do {                                     \
		struct ran r_;                   \
		cli(&r_, p, token, __VA_ARGS__); \
		expect_out(&r_, has);            \
		ran_release(&r_);                \
	} while (0)

/* With --json; json_decref() it. */
#define json_of(p, token, out, ...)                        \
	do {                                               \
		struct ran r_;                             \
		cli(&r_, p, token, __VA_ARGS__, "--json"); \
		*(out) = expect_json(&r_);                 \
		ran_release(&r_);                          \
	} while (0)

/* As text; free() it. */
char *number(int64_t n);
/* Two kernels of TREE, "base" and "slow", asked for with both cases and eight
 * boots each; the id. */
int64_t submitted(struct place *p);
/* The fake agent does all there is, then the submission has this state. */
void finish(struct place *p, int64_t id, const char *state);

#endif
