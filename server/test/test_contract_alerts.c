/* Alerts: what makes one, what one cause is, what people do with it, mutes, marks, the feed. */
#include "server/test/fake_agent.h"
#include "server/test/shape.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASES "\"fork/order=0,size=16M\",\"fork/order=9,size=16M\""

static void has(const char *text, const char *word)
{
	if (!text || !strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text ? text : "(nothing)");
}

static const char *day_in(int days)
{
	static char day[32];

	clock_iso(clock_wall_ms() + INT64_C(86400000) * days, day, sizeof(day));
	day[10] = '\0';
	return day;
}

/* "base" against others of a tree; done when it returns. */
static int64_t measured(struct fake *f, const char *others, const char *boards, const char *more)
{
	char *body = xasprintf(
	        "{\"title\":\"t\",\"kernels\":[{\"name\":\"base\",\"tree\":"
	        "\"https://example.org/linux.git\",\"ref\":\"v6.12\"},%s],\"boards\":[%s],"
	        "\"cases\":[" CASES "],\"plan\":{\"boots\":8}%s}",
	        others, boards, more);
	int64_t sub = fake_submit(f, body);

	free(body);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	return sub;
}

#define KERNEL(name)                                                                              \
	"{\"name\":\"" name "\",\"tree\":\"https://example.org/linux.git\",\"ref\":\"topic/" name \
	"\"}"

static json_t *alerts(struct fake *f, const char *query, size_t n)
{
	char *path = xasprintf("/api/v1/alerts%s", query);
	json_t *o = fake_get(f, path);

	if (json_array_size(at(o, "alerts")) != n)
		fail_msg("%s: %zu alerts instead of %zu", query, json_array_size(at(o, "alerts")),
		         n);
	free(path);
	return o;
}

static json_t *alert(struct fake *f, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/alerts/%lld", (long long)id);
	return fake_get(f, path);
}

static void post(struct fake *f, const char *token, const char *path, const char *body, int status,
                 json_t **out)
{
	json_t *o = NULL;
	int got = ask_json(f->d, "POST", path, token, body, &o);

	if (got != status) {
		char *text = json_dumps(o, JSON_ENCODE_ANY);

		fail_msg("%s %s: %d %s", path, body, got, text);
	}
	if (out)
		*out = o;
	else
		json_decref(o);
}

/* ---- slower */

static void one_cause_is_one_alert(void **state)
{
	struct fake *f = *state;
	json_t *o;
	int64_t sub;

	fake_announce(f, true);
	sub = measured(f, KERNEL("slow") "," KERNEL("well"), "\"det\",\"hw\"", "");
	o = alerts(f, "", 1);
	assert_string_equal(str_at(o, "alerts.0.kind"), "slower");
	assert_string_equal(str_at(o, "alerts.0.state"), "new");
	assert_int_equal(int_at(o, "alerts.0.submission"), sub);
	assert_string_equal(str_at(o, "alerts.0.kernel.name"), "slow");
	assert_string_equal(str_at(o, "alerts.0.kernel.ref"), "topic/slow");
	assert_string_equal(str_at(o, "alerts.0.baseline.name"), "base");
	assert_int_equal(json_array_size(at(o, "alerts.0.cells")), 4);
	has(str_at(o, "alerts.0.title"), "slow: 2.00 % more instructions in fork/order=");
	has(str_at(o, "alerts.0.title"), ", and 3 more");
	assert_true(num_at(o, "alerts.0.cells.0.change") > 0.01);
	assert_true(json_is_null(at(o, "alerts.0.owner")));
	json_decref(o);
	o = alert(f, 1);
	assert_int_equal(json_array_size(at(o, "steps")), 1);
	assert_true(json_is_null(at(o, "steps.0.from")));
	assert_string_equal(str_at(o, "steps.0.to"), "new");
	has(str_at(o, "steps.0.why"), "4 of 4 cells are worse than \"base\"");
	assert_int_equal(json_array_size(at(o, "told")), 0);
	json_decref(o);

	/* The same boots again say nothing new. */
	measured(f, KERNEL("slow"), "\"det\",\"hw\"", "");
	o = alert(f, 1);
	assert_string_equal(str_at(o, "state"), "new");
	assert_int_equal(json_array_size(at(o, "steps")), 1);
	json_decref(o);
	/* Boots of its own confirm it. */
	sub = measured(f, KERNEL("slow"), "\"det\"", ",\"reuse\":false");
	json_decref(alerts(f, "", 1));
	o = alert(f, 1);
	assert_string_equal(str_at(o, "state"), "confirmed");
	assert_int_equal(json_array_size(at(o, "steps")), 2);
	has(str_at(o, "steps.1.why"), "measured again, and worse again: 2 of 2 cells");
	assert_int_equal(int_at(o, "cells.0.submission"), sub);
	/* What was not measured again stays. */
	assert_int_equal(json_array_size(at(o, "cells")), 4);
	json_decref(o);
	/* Another kernel is another cause. */
	measured(f, KERNEL("slow-2"), "\"det\"", "");
	o = alerts(f, "", 2);
	assert_string_equal(str_at(o, "alerts.0.kernel.name"), "slow-2");
	json_decref(o);
	json_decref(alerts(f, "?state=open", 2));
	json_decref(alerts(f, "?state=new", 1));
	json_decref(alerts(f, "?state=confirmed&kind=slower&board=det", 1));
	json_decref(alerts(f, "?board=hw", 1));
	json_decref(alerts(f, "?kind=fault", 0));
	o = alerts(f, "?limit=1", 1);
	assert_int_equal(int_at(o, "next"), 2);
	json_decref(o);
	json_decref(alerts(f, "?before=2", 1));
}

static void not_reproduced_and_back(void **state)
{
	struct fake *f = *state;
	json_t *o;

	fake_announce(f, false);
	f->slow_kernel = "topic";
	measured(f, KERNEL("topic"), "\"det\"", "");
	json_decref(alerts(f, "?state=new", 1));
	f->slow_kernel = NULL;
	measured(f, KERNEL("topic"), "\"det\"", ",\"reuse\":false");
	o = alert(f, 1);
	assert_string_equal(str_at(o, "state"), "not_reproduced");
	has(str_at(o, "steps.1.why"), "and not worse: 0 of 2 cells");
	assert_int_equal(json_array_size(at(o, "cells")), 2);
	json_decref(o);
	f->slow_kernel = "topic";
	measured(f, KERNEL("topic"), "\"det\"", ",\"reuse\":false");
	o = alert(f, 1);
	assert_string_equal(str_at(o, "state"), "confirmed");
	json_decref(o);
}

static void nothing_slower_is_no_alert(void **state)
{
	struct fake *f = *state;
	json_t *o;

	fake_announce(f, false);
	measured(f, KERNEL("well"), "\"det\"", "");
	json_decref(alerts(f, "", 0));
	expect_error(f->d, "GET", "/api/v1/alerts/1", NULL, NULL, 404, "not_found", "no alert 1");
	expect_error(f->d, "GET", "/api/v1/alerts?state=odd", NULL, NULL, 400, "input", "state");
	expect_error(f->d, "GET", "/api/v1/alerts?kind=odd", NULL, NULL, 400, "input", "kind");
	expect_error(f->d, "GET", "/api/v1/alerts?limit=0", NULL, NULL, 400, "input", "limit");
	o = fake_get(f, "/api/v1/marks");
	assert_int_equal(int_at(o, "quality.alerts"), 0);
	assert_true(json_is_null(at(o, "quality.wrong_share")));
	assert_true(json_is_null(at(o, "quality.missed_share")));
	json_decref(o);
}

/* ---- faults */

static json_t *a_fault(const char *function)
{
	char *text = xasprintf("WARNING: CPU: 0 PID: 1 at drivers/foo.c:9 %s+0x4/0x60", function);
	json_t *o = json_pack("[{s:i,s:s,s:s,s:s,s:b}]", "line", 7, "kind", "warning", "function",
	                      function, "text", text, "fatal", 0);

	free(text);
	return o;
}

static void a_new_fault(void **state)
{
	struct fake *f = *state;
	json_t *faults = a_fault("foo_probe"), *o;
	char body[256];

	fake_announce(f, true);
	f->faults = faults;
	f->fault_console = f->console;
	f->bad_kernel = "bad";
	f->bad_boots = -1;
	measured(f, KERNEL("bad"), "\"det\",\"hw\"", "");
	o = alerts(f, "", 1);
	assert_string_equal(str_at(o, "alerts.0.kind"), "fault");
	assert_string_equal(str_at(o, "alerts.0.signature"), "warning:foo_probe:drivers/foo.c");
	has(str_at(o, "alerts.0.title"), "new kernel fault warning:foo_probe:drivers/foo.c on ");
	assert_string_equal(str_at(o, "alerts.0.kernel.name"), "bad");
	assert_int_equal(json_array_size(at(o, "alerts.0.cells")), 2); /* a board each */
	assert_true(json_is_null(at(o, "alerts.0.cells.0.case")));
	json_decref(o);
	o = alert(f, 1);
	assert_int_equal(json_array_size(at(o, "steps")), 1);
	has(str_at(o, "steps.0.why"), "drivers/foo.c:9");
	json_decref(o);

	/* Fixed, and the same kernel again: old news. */
	post(f, f->submit, "/api/v1/alerts/1/fix", "{\"why\":\"commit abc\"}", 200, NULL);
	measured(f, KERNEL("bad"), "\"det\"", ",\"reuse\":false");
	o = alert(f, 1);
	assert_string_equal(str_at(o, "state"), "fixed");
	json_decref(o);
	/* One that was built since: new again. */
	f->bad_kernel = "later";
	measured(f, KERNEL("later"), "\"det\"", "");
	o = alert(f, 1);
	assert_string_equal(str_at(o, "state"), "new");
	has(str_at(o, "steps.2.why"), "in a kernel that came since");
	json_decref(o);
	json_decref(alerts(f, "", 1));

	/* What is listed as known is no alert. */
	json_decref(faults);
	f->faults = faults = a_fault("bar_probe");
	snprintf(body, sizeof(body),
	         "{\"signature\":\"warning:bar_probe:drivers/"
	         "foo.c\",\"why\":\"x\",\"until\":\"%s\"}",
	         day_in(9));
	post(f, f->d->admin, "/api/v1/faults", body, 201, NULL);
	f->bad_kernel = "known";
	measured(f, KERNEL("known"), "\"det\"", "");
	json_decref(alerts(f, "?kind=fault", 1));
	json_decref(faults);
}

/* ---- people */

static void people(void **state)
{
	struct fake *f = *state;
	json_t *o;

	fake_announce(f, false);
	measured(f, KERNEL("slow"), "\"det\"", "");
	post(f, f->submit, "/api/v1/alerts/1/acknowledge", "{\"why\":\"I look\"}", 200, &o);
	assert_string_equal(str_at(o, "state"), "acknowledged");
	assert_non_null(str_at(o, "owner"));
	assert_string_equal(str_at(o, "steps.1.from"), "new");
	assert_string_equal(str_at(o, "steps.1.by"), str_at(o, "owner"));
	json_decref(o);
	post(f, f->submit, "/api/v1/alerts/1/acknowledge", "{\"why\":\"me too\"}", 409, NULL);
	post(f, f->submit, "/api/v1/alerts/1/note", "{\"why\":\"see\\nhttps://x.org/\xc3\xa4\"}",
	     200, &o);
	assert_string_equal(str_at(o, "state"), "acknowledged");
	assert_string_equal(str_at(o, "steps.2.from"), "acknowledged");
	assert_string_equal(str_at(o, "steps.2.why"), "see\nhttps://x.org/\xc3\xa4");
	json_decref(o);
	/* Measured again it stays with its owner, and the story grows. */
	measured(f, KERNEL("slow"), "\"det\"", ",\"reuse\":false");
	o = alert(f, 1);
	assert_string_equal(str_at(o, "state"), "acknowledged");
	assert_int_equal(json_array_size(at(o, "steps")), 4);
	json_decref(o);
	post(f, f->submit, "/api/v1/alerts/1/dismiss", "{\"why\":\"meant so\"}", 200, NULL);
	measured(f, KERNEL("slow"), "\"det\"", ",\"reuse\":false");
	post(f, f->submit, "/api/v1/alerts/1/mark", "{\"mark\":\"wrong\",\"why\":\"meant so\"}",
	     200, &o);
	assert_string_equal(str_at(o, "state"), "dismissed");
	assert_int_equal(json_array_size(at(o, "steps")), 5);
	assert_string_equal(str_at(o, "marks.0.mark"), "wrong");
	json_decref(o);
	post(f, f->submit, "/api/v1/marks",
	     "{\"submission\":1,\"board\":\"det\",\"case\":\"fork/"
	     "order=0,size=16M\",\"why\":\"x\"}",
	     201, &o);
	assert_string_equal(str_at(o, "mark"), "missed");
	json_decref(o);
	o = fake_get(f, "/api/v1/marks");
	assert_int_equal(json_array_size(at(o, "marks")), 2);
	/* And they are its figures of quality. */
	assert_int_equal(int_at(o, "quality.alerts"), 1);
	assert_int_equal(int_at(o, "quality.wrong"), 1);
	assert_int_equal(int_at(o, "quality.missed"), 1);
	assert_true(num_at(o, "quality.wrong_share") > .99);
	assert_true(num_at(o, "quality.missed_share") > .99);
	json_decref(o);
	json_decref(alerts(f, "?state=open", 0));

	/* All of it stands after a crash and a rebuild. */
	{
		static const char *const rebuild[] = {"rebuild", NULL};
		char *text;
		json_t *before = alert(f, 1), *after;

		daemon_kill(f->d);
		assert_int_equal(daemon_run(f->d, rebuild, &text), 0);
		free(text);
		daemon_start(f->d);
		after = alert(f, 1);
		assert_true(json_equal(before, after));
		json_decref(alerts(f, "", 1));
		json_decref(before);
		json_decref(after);
	}
}

static void refusals(void **state)
{
	static const struct {
		const char *path, *body;
		bool admin;
		int status;
		const char *code, *has;
	} rows[] = {
	        {"alerts/1/note", "", false, 400, "input", "empty"},
	        {"alerts/1/note", "{}", false, 400, "input", "why: missing"},
	        {"alerts/1/note", "{\"why\":\"\"}", false, 400, "input", "why"},
	        {"alerts/1/note", "{\"why\":\" \\n\"}", false, 400, "input", "blanks"},
	        {"alerts/1/note", "{\"why\":\"a\\u0007b\"}", false, 400, "input", "why"},
	        {"alerts/1/note", "{\"why\":\"x\",\"to\":\"fixed\"}", false, 400, "input", "to"},
	        {"alerts/1/mark", "{\"mark\":\"good\",\"why\":\"x\"}", false, 400, "input", "mark"},
	        {"alerts/9/note", "{\"why\":\"x\"}", false, 404, "not_found", "no alert 9"},
	        {"alerts/9/mark", "{\"mark\":\"wrong\",\"why\":\"x\"}", false, 404, "not_found",
	         NULL},
	        {"marks", "{\"submission\":99,\"why\":\"x\"}", false, 404, "not_found", NULL},
	        {"mutes", "{\"why\":\"x\",\"until\":\"U\",\"board\":\"d*\"}", false, 403, "denied",
	         NULL},
	        {"mutes", "{\"why\":\"x\",\"until\":\"U\"}", true, 400, "input", "board, case"},
	        {"mutes", "{\"why\":\"x\",\"until\":\"2001-01-01\",\"board\":\"x\"}", true, 422,
	         "unprocessable", "is over"},
	        {"mutes", "{\"why\":\"x\",\"until\":\"9999-01-01\",\"board\":\"x\"}", true, 422,
	         "unprocessable", "year away"},
	        {"mutes", "{\"why\":\"x\",\"board\":\"x\"}", true, 400, "input", "until"},
	        {"subscriptions", "{\"channel\":\"mail\",\"to\":\"a@b.org\"}", false, 403, "denied",
	         NULL},
	        {"subscriptions", "{\"channel\":\"mail\",\"to\":\"a@b.org\"}", true, 422,
	         "unprocessable", "mail_server"},
	        {"subscriptions", "{\"channel\":\"mail\",\"to\":\"nobody\"}", true, 400, "input",
	         "not a mail address"},
	        {"subscriptions", "{\"channel\":\"mail\",\"to\":\"a@b.org, c@d.org\"}", true, 400,
	         "input", "not a mail address"},
	        {"subscriptions", "{\"channel\":\"mail\",\"to\":\"a@b.org\\r\\nBcc: x\"}", true,
	         400, "input", "to"},
	        {"subscriptions", "{\"channel\":\"pigeon\",\"to\":\"a@b.org\"}", true, 400, "input",
	         "channel"},
	        {"subscriptions", "{\"channel\":\"webhook\",\"to\":\"file:///etc/passwd\"}", true,
	         400, "input", "http"},
	        {"subscriptions", "{\"channel\":\"webhook\",\"to\":\"https://u:p@x.org/\"}", true,
	         400, "input", "user name"},
	        {"subscriptions", "{\"channel\":\"webhook\",\"to\":\"http://127.0.0.1:1/\"}", true,
	         422, "unprocessable", "private address"},
	        {"subscriptions", "{\"channel\":\"slack\",\"to\":\"http://[::ffff:10.0.0.1]/\"}",
	         true, 422, "unprocessable", "private address"},
	        {"subscriptions", "{\"channel\":\"webhook\",\"to\":\"http://169.254.169.254/\"}",
	         true, 422, "unprocessable", "private address"},
	        {"subscriptions",
	         "{\"channel\":\"webhook\",\"to\":\"https://x.org/\",\"secret\":\"short\"}", true,
	         400, "input", "secret"},
	        {"subscriptions",
	         "{\"channel\":\"slack\",\"to\":\"https://x.org/"
	         "\",\"secret\":\"0123456789abcdef\"}",
	         true, 400, "input", "only a webhook"},
	        {"subscriptions",
	         "{\"channel\":\"slack\",\"to\":\"https://x.org/\",\"min_size\":-1}", true, 400,
	         "input", "min_size"},
	        {"subscriptions",
	         "{\"channel\":\"slack\",\"to\":\"https://x.org/\",\"direction\":\"up\"}", true,
	         400, "input", "direction"},
	};
	struct fake *f = *state;

	fake_announce(f, false);
	measured(f, KERNEL("slow"), "\"det\"", "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *u = strstr(rows[i].body, "\"U\"");
		char *body = u ? xasprintf("%.*s\"%s\"%s", (int)(u - rows[i].body), rows[i].body,
		                           day_in(3), u + 3)
		               : xstrdup(rows[i].body);
		char *path = xasprintf("/api/v1/%s", rows[i].path);

		expect_error(f->d, "POST", path, rows[i].admin ? f->d->admin : f->submit, body,
		             rows[i].status, rows[i].code, rows[i].has);
		free(path);
		free(body);
	}
	expect_error(f->d, "POST", "/api/v1/alerts/1/note", NULL, "{\"why\":\"x\"}", 401, "auth",
	             NULL);
	expect_error(f->d, "GET", "/api/v1/subscriptions", f->submit, NULL, 403, "denied", NULL);
	expect_error(f->d, "DELETE", "/api/v1/mutes/1", f->d->admin, NULL, 404, "not_found", NULL);
	expect_error(f->d, "DELETE", "/api/v1/subscriptions/1", f->d->admin, NULL, 404, "not_found",
	             NULL);
}

/* ---- mutes */

static void mutes(void **state)
{
	struct fake *f = *state;
	char body[256];
	json_t *o;
	size_t i, n = 0;

	fake_announce(f, false);
	snprintf(body, sizeof(body),
	         "{\"case\":\"fork/order=9*\",\"board\":\"d?t\",\"branch\":\"topic/*\",\"why\":"
	         "\"flaps\",\"until\":\"%s\"}",
	         day_in(3));
	post(f, f->d->admin, "/api/v1/mutes", body, 201, &o);
	assert_string_equal(str_at(o, "state"), "muted");
	assert_string_equal(str_at(o, "last_day"), day_in(3));
	json_decref(o);
	measured(f, KERNEL("slow"), "\"det\"", "");
	o = alert(f, 1);
	assert_true(json_is_false(at(o, "muted")));
	for (i = 0; i < 2; i++) {
		const json_t *c = json_array_get(at(o, "cells"), i);

		n += json_is_integer(json_object_get(c, "mute"));
		assert_int_equal(json_is_integer(json_object_get(c, "mute")),
		                 strstr(json_str(c, "case", ""), "order=9") != NULL);
	}
	assert_int_equal(n, 1);
	json_decref(o);
	snprintf(body, sizeof(body),
	         "{\"branch\":\"https://example.org/*#topic/*\",\"why\":\"x\",\"until\":\"%s\"}",
	         day_in(3));
	post(f, f->d->admin, "/api/v1/mutes", body, 201, NULL);
	measured(f, KERNEL("slow-2"), "\"det\"", "");
	o = alert(f, 2);
	assert_true(json_is_true(at(o, "muted")));
	json_decref(o);
	for (i = 1; i <= 2; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/api/v1/mutes/%zu", i);
		assert_int_equal(ask_json(f->d, "DELETE", path, f->d->admin, NULL, NULL), 200);
		assert_int_equal(ask_json(f->d, "DELETE", path, f->d->admin, NULL, NULL), 409);
	}
	measured(f, KERNEL("slow-3"), "\"det\"", "");
	o = alert(f, 3);
	assert_true(json_is_false(at(o, "muted")));
	assert_true(json_is_null(at(o, "cells.0.mute")));
	json_decref(o);
	o = fake_get(f, "/api/v1/mutes");
	assert_string_equal(str_at(o, "mutes.1.state"), "ended");
	json_decref(o);
}

/* ---- the feed */

static void feed_of(struct fake *f, const char *query, struct reply_raw *r)
{
	char *path = xasprintf("/feeds/alerts.atom%s", query);
	char *type;

	assert_int_equal(ask(f->d, "GET", path, NULL, NULL, NULL, 0, r), 200);
	type = reply_raw_header(r, "Content-Type");
	assert_string_equal(type, "application/atom+xml; charset=utf-8");
	free(type);
	free(path);
}

static void feed(void **state)
{
	struct fake *f = *state;
	struct reply_raw r;

	fake_announce(f, false);
	feed_of(f, "", &r);
	has(r.body, "<feed xmlns=\"http://www.w3.org/2005/Atom\">");
	assert_null(strstr(r.body, "<entry>"));
	reply_raw_release(&r);
	measured(f, KERNEL("slow"), "\"det\"", "");
	post(f, f->submit, "/api/v1/alerts/1/note", "{\"why\":\"]]> & \\\"<b>x</b> \xe2\x82\xac\"}",
	     200, NULL);
	feed_of(f, "", &r);
	has(r.body, "<title>new: slow: 2.00 % more instructions");
	has(r.body, "]]&gt; &amp; &quot;&lt;b&gt;x&lt;/b&gt; \xe2\x82\xac");
	has(r.body, "<id>urn:foldwatch:alert:1:");
	has(r.body, "<category term=\"new\">");
	assert_null(strstr(r.body, "<b>"));
	reply_raw_release(&r);
	feed_of(f, "?board=det&state=new&branch=topic/*", &r);
	has(r.body, "<entry>");
	reply_raw_release(&r);
	feed_of(f, "?board=hw", &r);
	assert_null(strstr(r.body, "<entry>"));
	reply_raw_release(&r);
	feed_of(f, "?branch=main", &r);
	assert_null(strstr(r.body, "<entry>"));
	reply_raw_release(&r);
	feed_of(f, "?state=fixed", &r);
	assert_null(strstr(r.body, "<entry>"));
	reply_raw_release(&r);
	/* The newest of a branch, though others came since; each of these is a feed of its own. */
	measured(f, KERNEL("slow-2"), "\"det\"", "");
	feed_of(f, "?limit=1&branch=topic/slow&state=open", &r);
	has(r.body, "<title>new: slow: 2.00 % more");
	has(r.body, "<id>urn:foldwatch:alerts?state=open&amp;branch=topic%2Fslow</id>");
	has(r.body, "<title>foldwatch alerts, state open, branch topic/slow</title>");
	assert_null(strstr(r.body, "slow-2"));
	reply_raw_release(&r);
	feed_of(f, "?limit=1", &r);
	has(r.body, "<id>urn:foldwatch:alerts</id>");
	has(r.body, "<title>new: slow-2: ");
	assert_null(strstr(strstr(r.body, "<entry>") + 1, "<entry>"));
	reply_raw_release(&r);
	feed_of(f, "?branch=%3Cb%3E%26", &r);
	assert_null(strstr(r.body, "<b>"));
	reply_raw_release(&r);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(one_cause_is_one_alert),
	        T(not_reproduced_and_back),
	        T(nothing_slower_is_no_alert),
	        T(a_new_fault),
	        T(people),
	        T(refusals),
	        T(mutes),
	        T(feed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
