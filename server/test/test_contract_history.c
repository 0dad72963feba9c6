/* Histories over the real server: what the API says, a rebuild, the release, the
 * reference and how its nights chain segments. */
#include "server/db.h"
#include "server/test/fake_agent.h"
#include "server/test/rebuilt.h"
#include "server/test/shape.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASE  "fork/order=0,size=16M"
#define OTHER "fork/order=9,size=16M"
#define QUERY "?case=fork/order=0,size=16M&board=det"
#define TREE  "https://example.org/linux.git"

static void has(const char *text, const char *word)
{
	if (!text || !strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text ? text : "(nothing)");
}

/* What the fake agent resolves a ref to. */
static void commit_of(const char *ref, char out[65])
{
	hash_block(ref, strlen(ref), out);
	out[40] = '\0';
}

/* A point's own submission: names and refs of the one before and of itself. */
static int64_t submit(struct fake *f, const char *before, const char *name, const char *boards)
{
	char *base = before ? xasprintf("{\"name\":\"%s\",\"tree\":\"" TREE
	                                "\",\"ref\":\"%s\",\"config\":\"contpte-y\"},",
	                                before, before)
	                    : xstrdup("");
	char *body = xasprintf("{\"title\":\"%s\",\"kernels\":[%s{\"name\":\"%s\",\"tree\":\"" TREE
	                       "\",\"ref\":\"%s\",\"config\":\"contpte-y\"}],\"boards\":[%s],"
	                       "\"cases\":[\"" CASE "\",\"" OTHER "\"],\"plan\":{\"boots\":6}}",
	                       name, base, name, name, boards);
	int64_t id = fake_submit(f, body);

	free(body);
	free(base);
	return id;
}

/* ---- what follows branches, by hand */

struct point {
	const char *ref;
	int64_t submission, release;
};
struct points {
	const struct point *at;
	size_t n;
	const char *release;
	int64_t track;
};

static enum err add_track(struct db *db, struct points *x, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "INSERT INTO track (tree, branch, every_ms, mode, request, config, release,"
	        " submitter, admin, state, looked_ms, next_ms, wake_ms, created_ms, changed_ms)"
	        " VALUES ('" TREE "', 'master', 900000, 'tips', '{\"cases\":[\"" CASE "\",\"" OTHER
	        "\"],\"plan\":{\"boots\":6}}', '\"contpte-y\"', ?1, 'test submit', 0, 'active',"
	        " 9000000000000, 9000000000000, 9000000000000, 1, 1) RETURNING id");

	db_bind_text(q, 1, x->release);
	return db_run_int(q, &x->track, w);
}

static enum err add_points(struct db *db, void *arg, struct why *w)
{
	struct points *x = arg;
	struct db_stmt *q;
	int64_t walk = 0;
	enum err e = OK;

	q = db_prepare(db, "INSERT INTO walk (submitter, tree, ref, state, asked_ms) VALUES"
	                   " ('submit', '" TREE "', 'master', 'done', 1) RETURNING id");
	e = db_run_int(q, &walk, w);
	if (e == OK && !x->track)
		e = add_track(db, x, w);
	for (size_t i = 0; e == OK && i < x->n; i++) {
		char commit[65];

		commit_of(x->at[i].ref, commit);
		q = db_prepare(db, "INSERT INTO track_point (track_id, position, commit_id, kind,"
		                   " walk_id, rebased, submission_id, seen_ms) SELECT ?1,"
		                   " coalesce(max(position), 0) + 1, ?2, 'tip', ?3, 0, ?4, 1"
		                   " FROM track_point WHERE track_id = ?1");
		db_bind_int(q, 1, x->track);
		db_bind_text(q, 2, commit);
		db_bind_int(q, 3, walk);
		db_bind_int(q, 4, x->at[i].submission);
		e = db_run(q, w);
	}
	return e;
}

static void follow(struct fake *f, struct points *x)
{
	char *path = xasprintf("%s/state/foldwatch.db", f->d->dir);
	struct db_store *s;
	struct why w;

	daemon_stop(f->d);
	if (db_open(path, 1, &s, &w) != OK || db_write(s, add_points, x, &w) != OK)
		fail_msg("%s", w.text);
	db_close(s);
	free(path);
	daemon_start(f->d);
}

static json_t *get(struct fake *f, const char *path)
{
	return fake_get(f, path);
}

/* ---- */

static void a_track_of_five(void **state)
{
	static const char *const queries[] = {
	        "SELECT h.board || h.env_id || h.case_text || h.config || h.points || h.class"
	        " || coalesce(h.level, '-') || x.position || ' ' || x.value || x.boots || x.carried"
	        " || x.kernel_id || coalesce(x.against, '-') || x.last_boot FROM history h"
	        " JOIN history_point x ON x.history_id = h.id ORDER BY h.board, h.env_id,"
	        " h.case_text, x.position",
	        "SELECT h.board || h.case_text || x.position || x.class || x.before || x.after"
	        " || x.change || coalesce(x.low, '-') || coalesce(x.score, '-') FROM history h"
	        " JOIN history_change x ON x.history_id = h.id ORDER BY h.board, h.case_text,"
	        " x.position",
	        "SELECT position || ' ' || board || boot_id || why FROM history_fault"
	        " ORDER BY position, board, boot_id",
	};
	struct fake *f = *state;
	struct point pts[5] = {
	        {.ref = "p1"}, {.ref = "p2"}, {.ref = "slow-3"}, {.ref = "slow-4"}, {.ref = "p5"}};
	struct points x = {.at = pts, .n = 5};
	json_t *o;

	fake_announce(f, true);
	for (size_t i = 0; i < 5; i++)
		pts[i].submission =
		        submit(f, i ? pts[i - 1].ref : NULL, pts[i].ref, "\"det\",\"hw\"");
	follow(f, &x);
	f->bad_kernel = "p5";
	f->bad_boots = -1;
	fake_work(f);
	for (size_t i = 0; i < 5; i++)
		json_decref(fake_await(f, pts[i].submission, "done"));

	o = get(f, "/api/v1/tracks/1/histories");
	assert_int_equal(json_array_size(at(o, "histories")), 4);
	assert_string_equal(str_at(o, "histories.0.board"), "det");
	assert_string_equal(str_at(o, "histories.0.case"), CASE);
	assert_string_equal(str_at(o, "histories.0.config"), "contpte-y");
	assert_int_equal(int_at(o, "histories.0.points"), 4);
	assert_int_equal(int_at(o, "histories.0.last.position"), 4);
	assert_int_equal(int_at(o, "histories.0.change.position"), 3);
	assert_true(fabs(num_at(o, "histories.0.change.change") - .02) < .001);
	assert_true(json_is_null(at(o, "release")));
	json_decref(o);

	o = get(f, "/api/v1/tracks/1/history" QUERY);
	assert_int_equal(int_at(o, "total"), 4);
	assert_true(json_is_false(at(o, "bucketed")));
	assert_int_equal(json_array_size(at(o, "points")), 4);
	assert_string_equal(str_at(o, "points.0.subject"), "a commit");
	assert_int_equal(int_at(o, "points.0.boots"), 6);
	assert_true(num_at(o, "points.0.value") == num_at(o, "points.0.shown"));
	assert_int_equal(json_array_size(at(o, "changes")), 1);
	assert_string_equal(str_at(o, "changes.0.class"), "step");
	assert_true(num_at(o, "changes.0.low") > .015);
	assert_true(json_is_null(at(o, "changes.0.score")));
	/* Six boots and phase 0 again, each with the line. */
	assert_true(json_array_size(at(o, "faults")) >= 1);
	assert_int_equal(int_at(o, "faults.0.position"), 5);
	has(str_at(o, "faults.0.why"), "Bad page state");
	assert_true(num_at(o, "segments.0.scale") == 1);
	json_decref(o);

	o = get(f, "/api/v1/tracks/1/history" QUERY "&buckets=2");
	assert_true(json_is_true(at(o, "bucketed")));
	assert_int_equal(json_array_size(at(o, "buckets")), 3);
	assert_int_equal(json_array_size(at(o, "points")), 0);
	assert_true(num_at(o, "buckets.2.min") == num_at(o, "buckets.2.max"));
	json_decref(o);
	o = get(f, "/api/v1/tracks/1/history" QUERY "&from=2&until=3");
	assert_int_equal(json_array_size(at(o, "points")), 2);
	assert_int_equal(int_at(o, "total"), 2);
	json_decref(o);
	o = get(f, "/api/v1/tracks/1/history" QUERY "&from=100");
	assert_int_equal(json_array_size(at(o, "segments")), 0);
	json_decref(o);

	expect_error(f->d, "GET", "/api/v1/tracks/2/histories", NULL, NULL, 404, "not_found",
	             "track 2");
	expect_error(f->d, "GET", "/api/v1/tracks/2/history" QUERY, NULL, NULL, 404, "not_found",
	             "track 2");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history?board=det", NULL, NULL, 400, "input",
	             "case");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history?case=fork/order=99", NULL, NULL, 400,
	             "input", "case");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history?case=" CASE, NULL, NULL, 400, "input",
	             "det, instructions, contpte-y; hw, ns, contpte-y");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" QUERY "&metric=ns", NULL, NULL, 404,
	             "not_found", "no such history");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" QUERY "&from=5&until=3", NULL, NULL,
	             400, "input", "from");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" QUERY "&from=-1", NULL, NULL, 400,
	             "input", "from");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" QUERY "&buckets=0", NULL, NULL, 400,
	             "input", "buckets");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" QUERY "&buckets=NaN", NULL, NULL, 400,
	             "input", "buckets");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" QUERY "&until=99999999999999999999",
	             NULL, NULL, 400, "input", "until");

	daemon_expect_rebuilt(f->d, queries, ARRAY_SIZE(queries), "step");
	daemon_start(f->d);
}

/* The third was compared with the first, before the second was measured: the step is
 * between neighbours all the same, with the interval that their boots give. */
static void neighbours_that_nobody_compared(void **state)
{
	struct fake *f = *state;
	struct point pts[3] = {{.ref = "p1"}, {.ref = "slow-2"}, {.ref = "slow-3"}};
	struct points x = {.at = pts, .n = 3};
	json_t *o;

	fake_announce(f, false);
	pts[0].submission = submit(f, NULL, "p1", "\"det\"");
	pts[2].submission = submit(f, "p1", "slow-3", "\"det\"");
	pts[1].submission = submit(f, "p1", "slow-2", "\"det\"");
	follow(f, &x);
	fake_work(f);
	for (size_t i = 0; i < 3; i++)
		json_decref(fake_await(f, pts[i].submission, "done"));
	o = get(f, "/api/v1/tracks/1/history" QUERY);
	assert_int_equal(json_array_size(at(o, "points")), 3);
	assert_int_equal(json_array_size(at(o, "changes")), 1);
	assert_int_equal(int_at(o, "changes.0.position"), 2);
	json_decref(o);
	/* And one that really is there. */
	pts[0] = (struct point){.ref = "p5"};
	pts[1] = (struct point){.ref = "slow-6"};
	pts[1].submission = submit(f, "p1", "slow-6", "\"det\"");
	pts[0].submission = submit(f, "slow-3", "p5", "\"det\"");
	x.n = 2;
	follow(f, &x);
	fake_work(f);
	for (size_t i = 0; i < 2; i++)
		json_decref(fake_await(f, pts[i].submission, "done"));
	o = get(f, "/api/v1/tracks/1/history" QUERY "&from=5");
	assert_int_equal(json_array_size(at(o, "changes")), 1);
	assert_int_equal(int_at(o, "changes.0.position"), 5);
	assert_true(num_at(o, "changes.0.low") > .015 && num_at(o, "changes.0.high") < .025);
	json_decref(o);
}

/* ---- the release */

/* The comparison of the newest point with the release, which the server asks for. */
static int64_t held(struct fake *f)
{
	int64_t id = 0;

	while (!id) {
		json_t *o = get(f, "/api/v1/tracks/1");

		if (json_is_integer(at(o, "points.0.release")))
			id = int_at(o, "points.0.release");
		json_decref(o);
		sleep_ms(20);
	}
	fake_work(f);
	json_decref(fake_await(f, id, "done"));
	return id;
}

static void measured(struct fake *f, struct points *x, const char *before)
{
	struct point *own = (struct point *)x->at;

	for (size_t i = 0; i < x->n; i++)
		own[i].submission = submit(f, i ? own[i - 1].ref : before, own[i].ref, "\"det\"");
	follow(f, x);
	fake_work(f);
	for (size_t i = 0; i < x->n; i++)
		json_decref(fake_await(f, own[i].submission, "done"));
	own[x->n - 1].release = held(f);
}

static void what_creeps_is_told_once(void **state)
{
	struct fake *f = *state;
	struct point pts[2] = {{.ref = "slow-1"}, {.ref = "slow-2"}}, third = {.ref = "slow-3"};
	struct points x = {.at = pts, .n = 2, .release = "v6.11"}, more = {.at = &third, .n = 1};
	json_t *o;

	fake_announce(f, false);
	measured(f, &x, NULL);
	o = get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	has(str_at(o, "alerts.0.title"), "master: 2.0");
	has(str_at(o, "alerts.0.title"), "than v6.11 in fork/");
	has(str_at(o, "alerts.0.title"), "without a step, and 1 more");
	/* Whether the first point was held as well, before there was the second. */
	assert_true(str_eq(str_at(o, "alerts.0.state"), "new") ||
	            str_eq(str_at(o, "alerts.0.state"), "confirmed"));
	assert_int_equal(int_at(o, "alerts.0.cells.0.submission"), pts[1].release);
	json_decref(o);
	o = get(f, "/api/v1/tracks/1/histories");
	assert_string_equal(str_at(o, "release.release"), "v6.11");
	assert_int_equal(int_at(o, "release.submission"), pts[1].release);
	assert_int_equal(int_at(o, "release.position"), 2);
	json_decref(o);

	/* The next tip brings its cells up to date, and no alert of its own. */
	more.track = x.track;
	measured(f, &more, "slow-2");
	o = get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	assert_int_equal(int_at(o, "alerts.0.cells.0.submission"), third.release);
	json_decref(o);
	/* And one that is as fast as the release ends it. */
	third = (struct point){.ref = "p4"};
	measured(f, &more, "slow-3");
	o = get(f, "/api/v1/alerts");
	assert_string_equal(str_at(o, "alerts.0.state"), "recovered");
	json_decref(o);
}

/* A step that was told is no creep. */
static void a_step_is_no_creep(void **state)
{
	struct fake *f = *state;
	struct point pts[2] = {{.ref = "p1"}, {.ref = "slow-2"}};
	struct points x = {.at = pts, .n = 2, .release = "v6.11"};
	json_t *o;

	fake_announce(f, false);
	measured(f, &x, NULL);
	o = get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	has(str_at(o, "alerts.0.title"), "slow-2: ");
	json_decref(o);
}

/* ---- the reference */

static void announce(struct fake *f, const char *qemu)
{
	char *text = xasprintf(
	        "{\"version\":\"1\",\"builds\":true,\"bench\":\"beef\",\"toolchains\":[{\"name\":"
	        "\"gcc\",\"compiler\":\"gcc 12\"}],\"trees\":[\"https:\"],\"boards\":[{\"name\":"
	        "\"det\",\"kind\":\"qemu\",\"profile\":\"deterministic\",\"labels\":[\"virtual\"],"
	        "\"metric\":\"instructions\",\"deterministic\":true,\"emulated\":true,"
	        "\"untrusted\":true,\"capabilities\":{},\"description\":\"qemu %s, icount\"}]}",
	        qemu);

	f->qemu = qemu;
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/agents/a", f->agent, text, NULL), 200);
	free(text);
}

#define REFERENCE                                                                           \
	"{\"kernel\":{\"tree\":\"" TREE "\",\"ref\":"                                       \
	"\"0123456789012345678901234567890123456789\",\"config\":\"contpte-y\"},\"cases\":" \
	"[\"" CASE "\",\"" OTHER "\"]}"

static json_t *reference_of(struct fake *f, int64_t but)
{
	int64_t until = clock_mono_ns() + 20 * NS_PER_S;

	for (;;) {
		json_t *o = get(f, "/api/v1/boards/det");
		const json_t *r = at(o, "reference");

		if (json_int(r, "submission", 0) && json_int(r, "submission", 0) != but &&
		    str_eq(str_at(r, "state"), "done"))
			return o;
		json_decref(o);
		if (clock_mono_ns() > until)
			fail_msg("the reference is not measured");
		fake_work(f);
		sleep_ms(50);
	}
}

static size_t submissions(struct fake *f)
{
	json_t *o = get(f, "/api/v1/submissions?limit=500");
	size_t n = json_array_size(at(o, "submissions"));

	json_decref(o);
	return n;
}

static void a_new_environment_goes_on(void **state)
{
	struct fake *f = *state;
	struct point pts[2] = {{.ref = "p1"}, {.ref = "p2"}}, third = {.ref = "p3"};
	struct points x = {.at = pts, .n = 2}, more = {.at = &third, .n = 1};
	int64_t first;
	size_t n;
	json_t *o;

	announce(f, "7.2");
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/reference", f->d->admin, REFERENCE, &o),
	                 200);
	assert_int_equal(int_at(o, "hour"), 2);
	json_decref(o);
	o = reference_of(f, 0);
	assert_int_equal(int_at(o, "reference.missed"), 0);
	first = int_at(o, "reference.submission");
	json_decref(o);
	pts[0].submission = submit(f, NULL, "p1", "\"det\"");
	pts[1].submission = submit(f, "p1", "p2", "\"det\"");
	follow(f, &x);
	fake_work(f);
	json_decref(fake_await(f, pts[1].submission, "done"));
	/* Once a night, however often it is looked at. */
	n = submissions(f);
	sleep_ms(2500);
	assert_int_equal(submissions(f), n);

	/* Another QEMU: the reference is asked for at once. */
	announce(f, "9.1");
	o = reference_of(f, first);
	json_decref(o);
	third.submission = submit(f, "p2", "p3", "\"det\"");
	more.track = x.track;
	follow(f, &more);
	fake_work(f);
	json_decref(fake_await(f, third.submission, "done"));
	o = get(f, "/api/v1/tracks/1/history" QUERY);
	assert_int_equal(json_array_size(at(o, "segments")), 2);
	/* The fake board's numbers are the same in both. */
	assert_true(num_at(o, "segments.0.scale") == 1);
	assert_true(num_at(o, "segments.1.scale") == 1);
	assert_int_equal(int_at(o, "segments.1.first"), 2);
	assert_int_equal(json_array_size(at(o, "points")), 4);
	json_decref(o);
	o = get(f, "/api/v1/tracks/1/histories");
	assert_int_equal(json_array_size(at(o, "histories")), 4);
	json_decref(o);

	o = get(f, "/api/v1/reference");
	assert_int_equal(json_array_size(at(o, "references")), 1);
	assert_string_equal(str_at(o, "boards.0.board"), "det");
	json_decref(o);
	assert_int_equal(ask_json(f->d, "DELETE", "/api/v1/reference", f->d->admin, NULL, &o), 200);
	assert_true(json_is_string(at(o, "ended")));
	json_decref(o);
	expect_error(f->d, "DELETE", "/api/v1/reference", f->d->admin, NULL, 404, "not_found",
	             "for all boards");
	expect_error(f->d, "DELETE", "/api/v1/reference?board=x", f->d->admin, NULL, 404,
	             "not_found", "boards \"x\"");
	o = get(f, "/api/v1/boards/det");
	assert_true(json_is_null(at(o, "reference")));
	json_decref(o);
}

static void without_a_reference_a_border_is_a_mark(void **state)
{
	struct fake *f = *state;
	struct point pts[2] = {{.ref = "p1"}, {.ref = "p2"}};
	struct points x = {.at = pts, .n = 2};
	char *out;
	json_t *o;

	announce(f, "7.2");
	pts[0].submission = submit(f, NULL, "p1", "\"det\"");
	fake_work(f);
	json_decref(fake_await(f, pts[0].submission, "done"));
	announce(f, "9.1");
	pts[1].submission = submit(f, "p1", "p2", "\"det\"");
	follow(f, &x);
	fake_work(f);
	json_decref(fake_await(f, pts[1].submission, "done"));
	/* The first one's comparison stood before it was a point; a rebuild finds it. */
	daemon_stop(f->d);
	assert_int_equal(daemon_run(f->d, (const char *const[]){"rebuild", NULL}, &out), 0);
	free(out);
	daemon_start(f->d);
	o = get(f, "/api/v1/tracks/1/history" QUERY);
	assert_int_equal(json_array_size(at(o, "segments")), 2);
	assert_true(json_is_null(at(o, "segments.0.scale")));
	assert_true(num_at(o, "points.0.value") == num_at(o, "points.0.shown"));
	json_decref(o);
}

static void bad_references(void **state)
{
	static const struct {
		const char *body, *has;
		int status;
	} bad[] = {
	        {"{}", "kernel", 400},
	        {"{\"kernel\":{},\"cases\":[\"" CASE "\"]}", "kernel.ref", 400},
	        {"{\"kernel\":{\"tree\":\"" TREE "\",\"ref\":\"master\"},\"cases\":[\"" CASE "\"]}",
	         "a whole commit id", 400},
	        {"{\"kernel\":{\"name\":\"x\",\"image\":\"y\"},\"cases\":[\"" CASE "\"]}",
	         "kernel.name", 400},
	        {"{\"kernel\":{\"image\":\"y\"},\"cases\":[\"" CASE "\"]}",
	         "kernel.image: expected 64", 400},
	        {"{\"kernel\":{\"image\":"
	         "\"0123456789012345678901234567890123456789012345678901234567"
	         "890123\"},\"cases\":[\"" CASE "\"]}",
	         "there is no artifact", 422},
	        {"{\"kernel\":{\"tree\":\"" TREE
	         "\",\"ref\":\"0123456789012345678901234567890123456789\"},\"cases\":[]}",
	         "cases", 400},
	        {"{\"kernel\":{\"tree\":\"" TREE
	         "\",\"ref\":\"0123456789012345678901234567890123456789\"},\"cases\":[\"fork\"]}",
	         "cases[0]", 400},
	        {"{\"kernel\":{\"tree\":\"" TREE
	         "\",\"ref\":\"0123456789012345678901234567890123456789\"},\"cases\":[\"" CASE
	         "\"],\"hour\":24}",
	         "hour", 400},
	        {"{\"kernel\":{\"tree\":\"" TREE
	         "\",\"ref\":\"0123456789012345678901234567890123456789\"},\"cases\":[\"" CASE
	         "\"],\"board\":\"\"}",
	         "board", 400},
	        {"{\"kernel\":[],\"cases\":[\"" CASE "\"],\"odd\":1}", "kernel", 400},
	};
	struct fake *f = *state;
	json_t *o;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(f->d, "PUT", "/api/v1/reference", f->d->admin, bad[i].body,
		             bad[i].status, bad[i].status == 400 ? "input" : "unprocessable",
		             bad[i].has);
	expect_error(f->d, "PUT", "/api/v1/reference", f->submit, REFERENCE, 403, "denied", NULL);
	o = get(f, "/api/v1/reference");
	assert_int_equal(json_array_size(at(o, "references")), 0);
	json_decref(o);
}

/* A board that is away: told, and made up for when it is back. */
static void a_board_that_is_away(void **state)
{
	struct fake *f = *state;
	int64_t until = clock_mono_ns() + 20 * NS_PER_S;
	json_t *o;

	announce(f, "7.2");
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/boards/det/drain", f->d->admin,
	                          "{\"why\":\"a new fan\"}", NULL),
	                 200);
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/reference", f->d->admin, REFERENCE, NULL),
	                 200);
	for (;; sleep_ms(50)) {
		o = get(f, "/api/v1/boards/det");
		if (str_at(o, "reference.why"))
			break;
		json_decref(o);
		assert_true(clock_mono_ns() < until);
	}
	has(str_at(o, "reference.why"), "drained: a new fan");
	assert_true(json_is_null(at(o, "reference.submission")));
	json_decref(o);
	assert_int_equal(submissions(f), 0);
	assert_int_equal(
	        ask_json(f->d, "POST", "/api/v1/boards/det/resume", f->d->admin, "{}", NULL), 200);
	o = reference_of(f, 0);
	assert_true(json_is_null(at(o, "reference.why")));
	json_decref(o);
}

#define with(test) cmocka_unit_test_setup_teardown(test, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        with(a_track_of_five),
	        with(neighbours_that_nobody_compared),
	        with(what_creeps_is_told_once),
	        with(a_step_is_no_creep),
	        with(a_new_environment_goes_on),
	        with(without_a_reference_a_border_is_a_mark),
	        with(bad_references),
	        with(a_board_that_is_away),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
