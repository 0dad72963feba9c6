/* Branches that are followed, over the real server: looks, points and what is measured. */
#include "server/test/fake_agent.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TREE  "https://example.org/linux.git"
#define CASE  "munmap/order=0,size=16M"
#define BODY  "{\"tree\":\"" TREE "\",\"branch\":\"master\"," REST
#define REST  "\"boards\":[\"det\"],\"cases\":[\"" CASE "\"],\"plan\":{\"boots\":6}"
#define BOOTS 7 /* of a kernel: six phases, one of them twice */

/* The branch as the tree has it, oldest first; a letter a commit: capitals are merges, and
 * what stands in `side` is not on the main line. */
static const char *branch, *side, *unchanged;
static bool rebase;

static void commit_of(char letter, char out[41])
{
	char hex[65];

	hash_block(&letter, 1, hex);
	memcpy(out, hex, 40);
	out[40] = '\0';
}

/* What a point's kernel is called. */
static const char *name_of(char letter)
{
	static char name[4][41];
	static int at;

	at = (at + 1) % 4;
	commit_of(letter, name[at]);
	name[at][12] = '\0';
	return name[at];
}

static json_t *show_commit(char letter)
{
	char id[41], subject[32];
	bool merge = letter >= 'A' && letter <= 'Z';
	json_t *o = json_object();

	commit_of(letter, id);
	snprintf(subject, sizeof(subject), "mm: commit %c", letter);
	json_put_str(o, "commit", id);
	json_put_str(o, "source", id);
	json_put_str(o, "subject", subject);
	json_put_str(o, "author", "A <a@example.org>");
	json_put_int(o, "parents", merge ? 2 : 1);
	json_put_str(o, "patch_id", merge || (unchanged && strchr(unchanged, letter)) ? NULL : id);
	json_put_bool(o, "known", rebase && letter == 'k');
	json_put_bool(o, "mainline", !side || !strchr(side, letter));
	return o;
}

static json_t *walk(struct fake *f, const json_t *spec)
{
	const char *since = json_str(spec, "since", NULL), *from = branch;
	json_t *o = json_object(), *list = json_array();
	char id[41], first[41];

	assert_string_equal(str_at(spec, "ref"), "master");
	if (f->walk_fails && (since || !str_starts(f->walk_fails, "since"))) {
		json_decref(o);
		json_decref(list);
		return NULL;
	}
	if (since && rebase) {
		from = branch + 1; /* the first letter is the base */
	} else if (since) {
		for (commit_of(*from, id); *from && strcmp(id, since) != 0; commit_of(*from, id))
			from++;
		if (!*from)
			fail_msg("the branch has no %s", since);
		from++;
	} else {
		from = branch + strlen(branch) - 1;
	}
	commit_of(branch[strlen(branch) - 1], id);
	commit_of(*branch, first);
	json_put_str(o, "tip", id);
	json_put_str(o, "base", since ? rebase ? first : since : NULL);
	json_put_bool(o, "linear", since && !rebase);
	json_put_int(o, "omitted", 0);
	for (; *from; from++)
		json_array_append_new(list, show_commit(*from));
	json_put(o, "commits", list);
	return o;
}

static int setup(void **state)
{
	struct fake *f;

	fake_setup(state);
	f = *state;
	fake_announce(f, false);
	f->walk = walk;
	branch = "a";
	side = unchanged = NULL;
	rebase = false;
	return 0;
}

static int post(struct fake *f, int64_t track, const char *what, const char *body, json_t **out)
{
	char *path = track ? xasprintf("/api/v1/tracks/%lld/%s", (long long)track, what)
	                   : xstrdup("/api/v1/tracks");
	int status = ask_json(f->d, "POST", path, f->submit, body, out);

	free(path);
	return status;
}

static int64_t add(struct fake *f, const char *more)
{
	char *body = xasprintf(BODY "%s}", more);
	json_t *o = NULL;
	int64_t id;
	int status = post(f, 0, NULL, body, &o);

	if (status != 201)
		fail_msg("%d %s", status, str_at(o, "error.message"));
	id = int_at(o, "id");
	json_decref(o);
	free(body);
	return id;
}

static json_t *track(struct fake *f, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/tracks/%lld", (long long)id);
	return fake_get(f, path);
}

/* "c<b b<a a": newest first, each with what it is held against; a . behind what waits or
 * is open, a ! behind what failed. */
static char *told(const json_t *t)
{
	const json_t *points = at(t, "points");
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < json_array_size(points); i++) {
		const json_t *x = json_array_get(points, i);
		const char *against = str_at(x, "against"), *state = str_at(x, "state");
		char id[41];

		buf_adds(&b, i ? " " : "");
		for (char c = 'A'; c <= 'z'; c++) {
			commit_of(c, id);
			if (strcmp(id, str_at(x, "commit")) == 0)
				buf_addc(&b, c);
		}
		buf_adds(&b, against ? "<" : "");
		for (char c = 'A'; against && c <= 'z'; c++) {
			commit_of(c, id);
			if (strcmp(id, against) == 0)
				buf_addc(&b, c);
		}
		buf_adds(&b, strcmp(state, "done") == 0     ? ""
		             : strcmp(state, "failed") == 0 ? "!"
		                                            : ".");
	}
	return b.len ? buf_take(&b, NULL) : xstrdup("");
}

/* Does all there is until the points are as told (fails after 15 s). */
static json_t *until(struct fake *f, int64_t id, const char *want)
{
	int64_t end = clock_mono_ns() + 15 * NS_PER_S;
	json_t *t;
	char *got;

	for (;;) {
		fake_work(f);
		t = track(f, id);
		got = told(t);
		if (strcmp(got, want) == 0) {
			free(got);
			return t;
		}
		if (clock_mono_ns() > end)
			fail_msg("the points are \"%s\", not \"%s\"; why: %s", got, want,
			         str_at(t, "why") ? str_at(t, "why") : "-");
		free(got);
		json_decref(t);
		sleep_ms(20);
	}
}

static void settled(struct fake *f, int64_t id, const char *want)
{
	json_decref(until(f, id, want));
}

static void look(struct fake *f, int64_t id)
{
	json_t *o = NULL;
	int status = post(f, id, "look", NULL, &o);

	if (status != 200)
		fail_msg("%d %s", status, str_at(o, "error.message"));
	json_decref(o);
}

/* Boots that were made for a submission, not used again. */
static int boots_of(struct fake *f, int64_t sub)
{
	char path[64];
	json_t *s;
	int n = 0;

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	s = fake_get(f, path);
	for (size_t i = 0; i < json_array_size(at(s, "jobs")); i++)
		n += str_eq(str_at(json_array_get(at(s, "jobs"), i), "kind"), "boot");
	json_decref(s);
	return n;
}

static void tips(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *t = until(f, id, "a");

	assert_string_equal(str_at(t, "points.0.kind"), "tip");
	assert_string_equal(str_at(t, "points.0.subject"), "mm: commit a");
	assert_string_equal(str_at(t, "points.0.kernel"), name_of('a'));
	assert_null(str_at(t, "points.0.baseline"));
	assert_true(json_is_null(at(t, "points.0.verdicts")));
	assert_int_equal(boots_of(f, int_at(t, "points.0.submission")), BOOTS);
	assert_string_equal(str_at(t, "mode"), "tips");
	assert_int_equal(int_at(t, "every_s"), 900);
	json_decref(t);

	/* Nothing new is no point. */
	look(f, id);
	settled(f, id, "a");

	branch = "abc";
	f->slow_kernel = name_of('c');
	look(f, id);
	/* The hole between them is filled once nothing else is to do. */
	t = until(f, id, "c<a b<a a");
	assert_int_equal(int_at(t, "points.0.position"), 3);
	assert_int_equal(int_at(t, "points.2.position"), 1);
	/* Only its own boots: the other's stand. */
	assert_int_equal(boots_of(f, int_at(t, "points.0.submission")), BOOTS);
	assert_int_equal(int_at(t, "points.0.verdicts.slower"), 1);
	assert_int_equal(int_at(t, "points.1.verdicts.same"), 1);
	assert_true(json_is_true(at(t, "points.1.filled")));
	assert_true(json_is_false(at(t, "points.0.same_image")));
	json_decref(t);

	t = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(t, "alerts")), 1);
	assert_string_equal(str_at(t, "alerts.0.kernel.name"), name_of('c'));
	/* A mute or a subscription names the branch, not the commit. */
	assert_string_equal(str_at(t, "alerts.0.kernel.ref"), "master");
	json_decref(t);
}

/* A track is woken each minute; whoever cannot wait looks. */
static void filled(struct fake *f, int64_t id, const char *want)
{
	int64_t end = clock_mono_ns() + 30 * NS_PER_S;
	bool is = false;

	while (!is) {
		json_t *t;
		char *got;

		look(f, id);
		fake_work(f);
		t = track(f, id);
		got = told(t);
		is = str_eq(got, want);
		if (!is && clock_mono_ns() > end)
			fail_msg("the points are \"%s\", not \"%s\"", got, want);
		free(got);
		json_decref(t);
		sleep_ms(100);
	}
}

static double slow_since_c(const char *name)
{
	return str_eq(name, name_of('c')) || str_eq(name, name_of('d')) ? .02 : 0;
}

/* What is measured late between two points is the cause of what they showed, not another. */
static void holes_make_no_alert(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *t;
	const json_t *steps;
	bool told = false;

	settled(f, id, "a");
	branch = "abcd";
	f->effect = slow_since_c;
	look(f, id);
	filled(f, id, "d<a c<b b<a a");
	t = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(t, "alerts")), 1);
	assert_string_equal(str_at(t, "alerts.0.kernel.name"), name_of('d'));
	json_decref(t);
	t = fake_get(f, "/api/v1/alerts/1");
	steps = at(t, "steps");
	for (size_t i = 0; i < json_array_size(steps); i++)
		told |= strstr(str_at(json_array_get(steps, i), "why"), name_of('c')) &&
		        strstr(str_at(json_array_get(steps, i), "why"), "shows it as well");
	assert_true(told);
	json_decref(t);
}

static const char *quiet_state(struct fake *f, const char *says)
{
	static char state[32];
	json_t *o = fake_get(f, "/api/v1/alerts?kind=missing"), *a;

	state[0] = '\0';
	if (json_array_size(at(o, "alerts"))) {
		snprintf(state, sizeof(state), "%s", str_at(o, "alerts.0.state"));
		a = fake_get(f, "/api/v1/alerts/1");
		if (says && !strstr(str_at(a, "steps.0.why"), says))
			fail_msg("\"%s\" does not say \"%s\"", str_at(a, "steps.0.why"), says);
		json_decref(a);
	}
	json_decref(o);
	return state;
}

/* A case that had numbers and has none any more. */
static void a_quiet_case(void **state)
{
	static const char *const branches[] = {"a", "ab", "abc", "abcd", "abcde"};
	static const char *const points[] = {"a", "b<a a", "c<b b<a a", "d<c c<b b<a a",
	                                     "e<d d<c c<b b<a a"};
	static const char *const states[] = {"", "", "", "new", "recovered"};
	struct fake *f = *state;
	json_t *o = NULL;

	assert_int_equal(post(f, 0, NULL,
	                      "{\"tree\":\"" TREE "\",\"branch\":\"master\",\"boards\":[\"det\"],"
	                      "\"cases\":[\"" CASE "\",\"munmap/order=9,size=16M\"],"
	                      "\"plan\":{\"boots\":6}}",
	                      &o),
	                 201);
	json_decref(o);
	for (size_t i = 0; i < ARRAY_SIZE(branches); i++) {
		int64_t end = clock_mono_ns() + 15 * NS_PER_S;

		f->skip_order9 = i > 0 && i < 4;
		branch = branches[i];
		look(f, 1);
		settled(f, 1, points[i]);
		while (!str_eq(quiet_state(f,
		                           "munmap/order=9,size=16M on det has had no number for "
		                           "3 points"),
		               states[i])) {
			if (clock_mono_ns() > end)
				fail_msg("behind \"%s\" it is \"%s\"", branch,
				         quiet_state(f, NULL));
			look(f, 1);
			fake_work(f);
			sleep_ms(100);
		}
	}
}

static double slow_b_and_d(const char *name)
{
	return str_eq(name, name_of('b')) || str_eq(name, name_of('d')) ? .02 : 0;
}

/* Two binaries, in turn. */
static const char *two_binaries(const char *name)
{
	return slow_b_and_d(name) > 0 ? "slower" : "faster";
}

/* A change that is reverted, and applied again, is one alert with a long story. */
static void flaps(void **state)
{
	static const char *const branches[] = {"a", "ab", "abc", "abcd"};
	static const char *const points[] = {"a", "b<a a", "c<b b<a a", "d<c c<b b<a a"};
	static const char *const states[] = {NULL, "confirmed", "recovered", "new"};
	struct fake *f = *state;
	int64_t id = add(f, "");

	f->effect = slow_b_and_d;
	f->binary = two_binaries;
	for (size_t i = 0; i < ARRAY_SIZE(branches); i++) {
		json_t *t;
		const char *now;

		branch = branches[i];
		look(f, id);
		settled(f, id, points[i]);
		for (int64_t end = clock_mono_ns() + 15 * NS_PER_S; states[i];) {
			fake_work(f);
			t = fake_get(f, "/api/v1/alerts?kind=slower");
			assert_true(json_array_size(at(t, "alerts")) <= 1);
			now = str_at(t, "alerts.0.state");
			/* It is measured again at once, and so may be confirmed by now. */
			if (now && (str_eq(now, states[i]) ||
			            (str_eq(states[i], "new") && str_eq(now, "confirmed")))) {
				json_decref(t);
				break;
			}
			if (clock_mono_ns() > end)
				fail_msg("behind \"%s\" it is %s", branch, now ? now : "none");
			json_decref(t);
			sleep_ms(50);
		}
	}
}

static void one_binary(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *t;

	settled(f, id, "a");
	branch = "ab";
	f->twin = name_of('b');
	f->twin_of = name_of('a');
	look(f, id);
	t = until(f, id, "b<a a");
	assert_int_equal(boots_of(f, int_at(t, "points.0.submission")), 0);
	assert_true(json_is_true(at(t, "points.0.same_image")));
	assert_int_equal(int_at(t, "points.0.verdicts.same"), 1);
	json_decref(t);
}

static void all_commits(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, ",\"mode\":\"all\"");

	settled(f, id, "a");
	branch = "abecM";
	unchanged = "e";
	look(f, id);
	settled(f, id, "M<c c<b b<a a");
}

static void merges(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, ",\"mode\":\"merges\"");
	json_t *t;

	settled(f, id, "a");
	branch = "asSMz";
	side = "sS";
	look(f, id);
	/* S was merged into the side, and is none of the branch's own. */
	t = until(f, id, "z<M M<a a");
	assert_int_equal(int_at(t, "points.0.position"), 5);
	assert_string_equal(str_at(t, "points.1.kind"), "commit");
	json_decref(t);
}

static void rebased(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *t;

	branch = "xo";
	settled(f, id, "o");
	branch = "xukn";
	rebase = true;
	/* The base moved the figures, and with it what stands on it. */
	f->slow_kernel = NULL;
	look(f, id);
	t = until(f, id, "n<o x<o o");
	assert_true(json_is_true(at(t, "points.0.rebased")));
	assert_string_equal(str_at(t, "points.1.kind"), "base");
	assert_int_equal(int_at(t, "points.0.submission"), int_at(t, "points.1.submission"));
	assert_string_equal(str_at(t, "points.0.note"),
	                    "rebased: 2 of its 3 commits are new to the branch");
	assert_memory_equal(str_at(t, "points.0.kernel"), "tip-", 4);
	assert_memory_equal(str_at(t, "points.0.baseline"), "old-", 4);
	assert_memory_equal(str_at(t, "points.1.kernel"), "base-", 5);
	assert_int_equal(boots_of(f, int_at(t, "points.0.submission")), 2 * BOOTS);
	json_decref(t);

	/* It goes on from the new tip. */
	rebase = false;
	branch = "xuknq";
	look(f, id);
	settled(f, id, "q<n n<o x<o o");
}

static void only_the_tip_is_told(void **state)
{
	struct fake *f = *state;
	char base[32], tip[32];
	int64_t id = add(f, "");
	json_t *o;

	branch = "xo";
	settled(f, id, "o");
	snprintf(base, sizeof(base), "base-%s", name_of('x'));
	snprintf(tip, sizeof(tip), "tip-%s", name_of('n'));
	branch = "xkn";
	rebase = true;
	f->slow_kernel = base;
	look(f, id);
	settled(f, id, "n<o x<o o");
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 0);
	json_decref(o);
	branch = "xqm";
	snprintf(tip, sizeof(tip), "tip-%s", name_of('m'));
	f->slow_kernel = tip;
	look(f, id);
	settled(f, id, "m<n x<n n<o x<o o");
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	assert_string_equal(str_at(o, "alerts.0.kernel.name"), tip);
	json_decref(o);
}

static void lost(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *t;

	settled(f, id, "a");
	branch = "xn";
	f->walk_fails = "since: tree \"" TREE "\" has no commit any more";
	look(f, id);
	t = until(f, id, "n<a a");
	assert_true(json_is_true(at(t, "points.0.rebased")));
	assert_non_null(strstr(str_at(t, "points.0.note"), "the tree has lost"));
	assert_true(json_is_null(at(t, "why")));
	json_decref(t);
}

static json_t *with_why(struct fake *f, int64_t id, const char *words)
{
	int64_t end = clock_mono_ns() + 10 * NS_PER_S;

	for (;;) {
		json_t *t;

		fake_work(f);
		t = track(f, id);
		if (words ? str_at(t, "why") && strstr(str_at(t, "why"), words) : !str_at(t, "why"))
			return t;
		if (clock_mono_ns() > end)
			fail_msg("why: %s", str_at(t, "why") ? str_at(t, "why") : "-");
		json_decref(t);
		sleep_ms(20);
	}
}

static void looks_that_fail(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *t;

	settled(f, id, "a");
	f->walk_fails = "tree \"" TREE "\" has no branch or tag \"master\"";
	branch = "ab";
	look(f, id);
	t = with_why(f, id, "has no branch");
	assert_false(json_is_true(at(t, "looking")));
	assert_string_equal(str_at(t, "state"), "active");
	json_decref(t);
	f->walk_fails = NULL;
	look(f, id);
	settled(f, id, "b<a a");
	json_decref(with_why(f, id, NULL));

	/* What is nobody's fault is tried again, three times. */
	f->walk_fails = "its host does not answer";
	f->walk_class = "infra";
	look(f, id);
	json_decref(with_why(f, id, "does not answer"));
}

static void nobody_may_fetch(void **state)
{
	struct fake *f = *state;
	json_t *o = NULL;
	int64_t id;

	assert_int_equal(post(f, 0, NULL,
	                      "{\"tree\":\"git://example.org/x\",\"branch\":\"master\"," REST "}",
	                      &o),
	                 201);
	id = int_at(o, "id");
	json_decref(o);
	json_decref(with_why(f, id, "no agent that builds may fetch"));
}

/* The commit does not build: the next is held against what stood before it. */
static void broken_commit(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, ",\"mode\":\"all\"");

	settled(f, id, "a");
	f->build_fails = name_of('b');
	branch = "abc";
	look(f, id);
	settled(f, id, "c<a b<a! a");
}

static void board_is_away(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *o = NULL, *t;

	settled(f, id, "a");
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/agents/a", f->agent,
	                          "{\"version\":\"1\",\"builds\":true,\"bench\":\"beef\","
	                          "\"toolchains\":[{\"name\":\"gcc\",\"compiler\":\"gcc 12\"}],"
	                          "\"trees\":[\"https:\"],\"boards\":[]}",
	                          &o),
	                 200);
	json_decref(o);
	branch = "ab";
	look(f, id);
	t = with_why(f, id, "no longer offers board");
	assert_string_equal(str_at(t, "points.0.state"), "waiting");
	json_decref(t);
	fake_announce(f, false);
	look(f, id);
	settled(f, id, "b<a a");
	json_decref(with_why(f, id, NULL));
}

/* The server asks for nothing on behalf of one who may not. */
static void token_is_revoked(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *o = NULL, *list;
	char *again, path[64];

	settled(f, id, "a");
	ask_json(f->d, "GET", "/api/v1/tokens", f->d->admin, NULL, &list);
	for (size_t i = 0; i < json_array_size(at(list, "tokens")); i++) {
		const json_t *x = json_array_get(at(list, "tokens"), i);

		snprintf(path, sizeof(path), "/api/v1/tokens/%lld", (long long)int_at(x, "id"));
		if (!str_eq(str_at(x, "role"), "submit"))
			continue;
		assert_int_equal(ask_json(f->d, "DELETE", path, f->d->admin, NULL, &o), 200);
		json_decref(o);
	}
	json_decref(list);
	branch = "ab";
	snprintf(path, sizeof(path), "/api/v1/tracks/%lld/look", (long long)id);
	assert_int_equal(ask_json(f->d, "POST", path, f->d->admin, NULL, &o), 200);
	json_decref(o);
	json_decref(with_why(f, id, "no token of \"test submit\" may submit any more"));
	settled(f, id, "a");
	/* Another of that name takes over. */
	again = daemon_token(f->d, "submit", NULL);
	free(f->submit);
	f->submit = again;
	look(f, id);
	settled(f, id, "b<a a");
	json_decref(with_why(f, id, NULL));
}

/* The newest point's submission against the release, once it is done. */
static int64_t release_of(struct fake *f, int64_t id)
{
	int64_t end = clock_mono_ns() + 10 * NS_PER_S, sub;

	for (;;) {
		json_t *t;

		fake_work(f);
		t = track(f, id);
		sub = json_int(at(t, "points.0"), "release", 0);
		json_decref(t);
		if (sub)
			break;
		if (clock_mono_ns() > end)
			fail_msg("it is not held against the release");
		sleep_ms(20);
	}
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	return sub;
}

static void released(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, ",\"release\":\"v6.12\""), sub;
	json_t *s;
	char path[64];

	f->slow_kernel = name_of('a');
	settled(f, id, "a");
	sub = release_of(f, id);
	assert_int_equal(boots_of(f, sub), BOOTS);
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	s = fake_get(f, path);
	assert_string_equal(str_at(s, "baseline"), "release");
	json_decref(s);
	/* One alert, whichever tip. */
	branch = "ab";
	f->slow_kernel = name_of('b');
	look(f, id);
	settled(f, id, "b<a a");
	assert_int_equal(boots_of(f, release_of(f, id)), 0);
	s = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(s, "alerts")), 1);
	assert_int_equal(int_at(s, "alerts.0.submission"), sub);
	assert_string_equal(str_at(s, "alerts.0.state"), "confirmed");
	json_decref(s);
	/* And one that is as good as the release ends it. */
	branch = "abc";
	f->slow_kernel = NULL;
	look(f, id);
	settled(f, id, "c<b b<a a");
	assert_int_equal(boots_of(f, release_of(f, id)), 0);
	s = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(s, "alerts")), 1);
	assert_string_equal(str_at(s, "alerts.0.state"), "recovered");
	json_decref(s);
}

static void stopped(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *o = NULL;

	settled(f, id, "a");
	assert_int_equal(post(f, id, "pause", "{\"why\":\"a freeze\"}", &o), 200);
	assert_string_equal(str_at(o, "state"), "paused");
	assert_string_equal(str_at(o, "why"), "a freeze");
	assert_non_null(str_at(o, "stopped_by"));
	assert_true(json_is_null(at(o, "next_look")));
	json_decref(o);
	branch = "ab";
	assert_int_equal(post(f, id, "look", NULL, &o), 409);
	json_decref(o);
	fake_work(f);
	sleep_ms(1200);
	settled(f, id, "a");
	assert_int_equal(post(f, id, "resume", NULL, &o), 200);
	assert_string_equal(str_at(o, "state"), "active");
	json_decref(o);
	settled(f, id, "b<a a");
	assert_int_equal(post(f, id, "resume", NULL, &o), 409);
	json_decref(o);
	assert_int_equal(post(f, id, "end", "{\"why\":\"merged\"}", &o), 200);
	assert_string_equal(str_at(o, "state"), "ended");
	json_decref(o);
	assert_int_equal(post(f, id, "pause", "{\"why\":\"x\"}", &o), 409);
	json_decref(o);
	/* Another may follow it now. */
	assert_int_not_equal(add(f, ""), id);
	o = fake_get(f, "/api/v1/tracks?state=open");
	assert_int_equal(json_array_size(at(o, "tracks")), 1);
	json_decref(o);
	o = fake_get(f, "/api/v1/tracks?limit=1");
	assert_int_equal(json_array_size(at(o, "tracks")), 1);
	assert_false(json_is_null(at(o, "next")));
	json_decref(o);
}

/* Killed at once after each thing that is asked: nothing is lost, nothing done twice. */
static void killed(void **state)
{
	struct fake *f = *state;
	int64_t id = add(f, ",\"mode\":\"all\"");
	json_t *lease, *o, *t;

	for (int i = 0; i < 3; i++) {
		daemon_kill(f->d);
		daemon_start(f->d);
	}
	settled(f, id, "a");
	branch = "abcd";
	look(f, id);
	daemon_kill(f->d);
	daemon_start(f->d);
	for (;;) {
		lease = fake_claim(f, "[\"walk\"]", "[]");
		if (lease)
			break;
		sleep_ms(20);
	}
	o = fake_do(f, lease);
	json_decref(o);
	json_decref(lease);
	daemon_kill(f->d);
	daemon_start(f->d);
	t = until(f, id, "d<c c<b b<a a");
	json_decref(t);
	o = fake_get(f, "/api/v1/submissions");
	assert_int_equal(json_array_size(at(o, "submissions")), 4);
	json_decref(o);
}

static void bad(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *code, *says;
	} all[] = {
	        {"{}", 400, "input", "tree: missing"},
	        {"{\"tree\":\"" TREE "\"," REST "}", 400, "input", "branch: missing"},
	        {"{\"tree\":\"ext::x\",\"branch\":\"m\"," REST "}", 400, "input", "tree: expected"},
	        {"{\"tree\":\"" TREE "\",\"branch\":\"-x\"," REST "}", 400, "input",
	         "branch: \"-x\""},
	        {"{\"tree\":\"" TREE
	         "\",\"branch\":\"0123456789012345678901234567890123456789\"," REST "}",
	         400, "input", "a commit does not move"},
	        {BODY ",\"every_s\":59}", 400, "input", "every_s"},
	        {BODY ",\"every_s\":604801}", 400, "input", "every_s"},
	        {BODY ",\"every_s\":1e3}", 400, "input", "every_s"},
	        {BODY ",\"mode\":\"some\"}", 400, "input", "mode"},
	        {BODY ",\"kernels\":[]}", 400, "input", "kernels"},
	        {BODY ",\"threshold\":2}", 400, "input", "threshold: expected a fraction"},
	        {BODY ",\"release\":\"a..b\"}", 400, "input", "release: "},
	        {BODY ",\"priority\":101}", 400, "input", "priority"},
	        {BODY ",\"config\":\"no-such-set\"}", 422, "unprocessable", "config: "},
	        {BODY ",\"config\":7}", 400, "input", "config: expected"},
	        {BODY ",\"toolchain\":\"a b\"}", 400, "input", "toolchain: "},
	        {"{\"tree\":\"" TREE "\",\"branch\":\"m\",\"cases\":[\"fork/order=99\"]}", 400,
	         "input", "cases[0]"},
	        {"{\"tree\":\"" TREE "\",\"branch\":\"m\",\"cases\":[]}", 400, "input", "cases"},
	        {"{\"tree\":\"" TREE "\",\"branch\":\"m\",\"cases\":[\"" CASE
	         "\"],\"boards\":[\"none\"]}",
	         422, "unprocessable", "boards[0]: there is no board \"none\""},
	        {"{\"tree\":\"" TREE "\",\"branch\":\"m\xff\"," REST "}", 400, "input", NULL},
	};
	struct fake *f = *state;
	int64_t id = add(f, "");
	json_t *o;
	char says[64];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		expect_error(f->d, "POST", "/api/v1/tracks", f->submit, all[i].body, all[i].status,
		             all[i].code, all[i].says);
	snprintf(says, sizeof(says), "track %lld", (long long)id);
	expect_error(f->d, "POST", "/api/v1/tracks", f->submit, BODY "}", 409, "conflict", says);
	expect_error(f->d, "POST", "/api/v1/tracks", f->agent, BODY "}", 403, "denied", NULL);
	expect_error(f->d, "GET", "/api/v1/tracks/99", NULL, NULL, 404, "not_found", "track 99");
	expect_error(f->d, "GET", "/api/v1/tracks?state=x", NULL, NULL, 400, "input", "state");
	expect_error(f->d, "POST", "/api/v1/tracks/99/look", f->submit, "{}", 404, "not_found",
	             NULL);
	expect_error(f->d, "POST", "/api/v1/tracks/1/pause", f->submit, "{}", 400, "input", "why");
	expect_error(f->d, "POST", "/api/v1/tracks/1/pause", f->submit, "{\"why\":\"  \"}", 400,
	             "input", "why");
	expect_error(f->d, "POST", "/api/v1/tracks/1/pause", f->submit,
	             "{\"why\":\"x\",\"until\":\"2001-01-01\"}", 422, "unprocessable", "is over");
	expect_error(f->d, "POST", "/api/v1/tracks/1/pause", f->submit,
	             "{\"why\":\"x\",\"until\":\"soon\"}", 400, "input", "YYYY-MM-DD");
	o = fake_get(f, "/api/v1/tracks");
	assert_int_equal(json_array_size(at(o, "tracks")), 1);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(tips, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(holes_make_no_alert, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(a_quiet_case, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(flaps, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(one_binary, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(all_commits, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(merges, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(rebased, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(only_the_tip_is_told, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(lost, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(looks_that_fail, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(nobody_may_fetch, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(broken_commit, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(board_is_away, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(token_is_revoked, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(released, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(stopped, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(killed, setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(bad, setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
