/* Telling: mail and webhooks as they are received, and what a crash between any two steps
 * of it leaves. */
#include "server/test/fake_agent.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/test/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 15000
#define FAST    "notify_retry_ms = 20\nnotify_retry_max_s = 1\n"
#define ALLOW   "notify_allow = 127.0.0.1/32\n"
#define FROM    "mail_from = foldwatch@perf.example.org\n"
#define SECRET  "0123456789abcdef0123"

struct place {
	struct fake *f;
	struct sink *smtp, *http;
	int submissions;
};

static struct place *place_new(const char *extra)
{
	struct place *p = xcalloc(1, sizeof(*p));
	char cwd[4096], *conf;
	struct daemon *d;

	p->smtp = sink_new(SINK_SMTP);
	p->http = sink_new(SINK_HTTP);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	conf = xasprintf("lease_s = 5\nkernel_dir = %s/kernel\nnotify_timeout_s = 1\n"
	                 "mail_server = smtp://127.0.0.1:%d\n" FROM "%s",
	                 cwd, sink_port(p->smtp), extra);
	d = daemon_new(conf);
	free(conf);
	daemon_start(d);
	p->f = fake_new(d);
	fake_announce(p->f, true);
	return p;
}

static void place_free(struct place *p)
{
	struct daemon *d = p->f->d;

	fake_free(p->f);
	daemon_stop(d);
	daemon_free(d);
	sink_free(p->smtp);
	sink_free(p->http);
	free(p);
}

static void has(const char *text, const char *word)
{
	if (!text || !strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text ? text : "(nothing)");
}

/* ---- doing */

static void post(struct place *p, const char *token, const char *path, const char *body, int status,
                 json_t **out)
{
	json_t *o = NULL;
	int got = ask_json(p->f->d, "POST", path, token, body, &o);

	if (got != status)
		fail_msg("%s %s: %d %s", path, body, got, json_dumps(o, JSON_ENCODE_ANY));
	if (out)
		*out = o;
	else
		json_decref(o);
}

static int64_t subscribe(struct place *p, const char *fields, json_t **out)
{
	char *body = xasprintf("{%s}", fields);
	json_t *o;
	int64_t id;

	post(p, p->f->d->admin, "/api/v1/subscriptions", body, 201, &o);
	id = int_at(o, "id");
	if (out)
		*out = o;
	else
		json_decref(o);
	free(body);
	return id;
}

#define MAIL "\"channel\":\"mail\",\"to\":\"dev@example.org\""

/* To the sink: "webhook" with SECRET, or "slack". */
static int64_t hook(struct place *p, const char *channel, const char *more)
{
	char *fields = xasprintf(
	        "\"channel\":\"%s\",\"to\":\"http://127.0.0.1:%d/in/s3cret\"%s%s", channel,
	        sink_port(p->http),
	        strcmp(channel, "webhook") == 0 ? ",\"secret\":\"" SECRET "\"" : "", more);
	int64_t id = subscribe(p, fields, NULL);

	free(fields);
	return id;
}

/* Asks for a kernel that is slow; its jobs are done when it returns, and the
 * comparison is on its way. */
static int64_t post_slow(struct place *p, const char *board)
{
	char *body = xasprintf(
	        "{\"title\":\"t\",\"kernels\":[{\"name\":\"base\",\"tree\":"
	        "\"https://example.org/"
	        "linux.git\",\"ref\":\"v6.12\"},{\"name\":\"slow-%d\",\"tree\":"
	        "\"https://example.org/linux.git\",\"ref\":\"topic/it's-%d\"}],\"boards\":[\"%s\"],"
	        "\"cases\":[\"fork/order=0,size=16M\",\"fork/order=9,size=16M\"],"
	        "\"plan\":{\"boots\":8}}",
	        p->submissions, p->submissions, board);
	int64_t sub = fake_submit(p->f, body);

	p->submissions++;
	free(body);
	fake_work(p->f);
	return sub;
}

static void slow(struct place *p, const char *board)
{
	json_decref(fake_await(p->f, post_slow(p, board), "done"));
}

static json_t *alert(struct place *p, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/alerts/%lld", (long long)id);
	return fake_get(p->f, path);
}

/* Once told[i] has this state. */
static json_t *told(struct place *p, int64_t id, size_t i, const char *state)
{
	int64_t until = clock_mono_ns() + WAIT_MS * NS_PER_MS;

	for (;;) {
		json_t *o = alert(p, id);
		const json_t *t = json_array_get(at(o, "told"), i);

		if (strcmp(json_str(t, "state", ""), state) == 0)
			return o;
		if (clock_mono_ns() > until)
			fail_msg("told[%zu] is %s after %d ms: %s", i, json_str(t, "state", "none"),
			         WAIT_MS, json_str(t, "why", ""));
		json_decref(o);
		sleep_ms(10);
	}
}

static char *message(struct sink *s, int i)
{
	char *text;

	if (sink_await(s, i + 1, WAIT_MS) <= i)
		fail_msg("message %d did not come", i);
	text = sink_message(s, i);
	assert_non_null(text);
	return text;
}

/* The line's value behind "NAME: "; free() it. */
static char *header(const char *text, const char *name)
{
	char *start = xasprintf("\n%s: ", name);
	const char *at = strstr(text, start);
	char *value = at ? xstrndup(at + strlen(start), strcspn(at + strlen(start), "\n")) : NULL;

	free(start);
	return value;
}

/* ---- mail */

static void reads_as_ascii(const char *text)
{
	const char *line = text;

	for (; *line; line += strcspn(line, "\n") + 1) {
		size_t n = strcspn(line, "\n");

		if (n > 72)
			fail_msg("%zu columns: %.*s", n, (int)n, line);
		for (size_t i = 0; i < n; i++)
			if (line[i] < ' ' || line[i] > '~')
				fail_msg("not ASCII: %.*s", (int)n, line);
		if (!strncmp(line, "From ", 5) || (n == 1 && *line == '.'))
			fail_msg("a mailbox would take this line for another: %.*s", (int)n, line);
		assert_true(line[n] == '\n');
	}
}

/* What a shell makes of the command of a mail. */
static void shell_reads(const char *mail, const char *words)
{
	const char *at = strstr(mail, "\n  foldwatch "), *end = at ? strstr(at, "\n\n") : NULL;
	char *script;
	const char *argv[] = {"sh", "-c", NULL, NULL};
	struct buf said;
	struct why w;

	assert_non_null(end);
	script = xasprintf("foldwatch() { printf '%%s\\n' \"$@\"; }\n%.*s\n", (int)(end - at), at);
	argv[2] = script;
	buf_init(&said, 65536);
	if (proc_run(&(struct proc_spec){.argv = argv}, &said, &w) != OK)
		fail_msg("%s: %s", script, w.text);
	has(said.data, words);
	buf_release(&said);
	free(script);
}

static void a_mail_and_its_thread(void **state)
{
	struct place *p = place_new(FAST "public_url = https://perf.example.org\n");
	char *first, *second, *id, *reply, *references, *other;

	(void)state;
	subscribe(p, MAIL, NULL);
	slow(p, "det");
	first = message(p->smtp, 0);
	if (getenv("SHOW"))
		fprintf(stderr, "%s", first);
	reads_as_ascii(first);
	has(first, "From: foldwatch <foldwatch@perf.example.org>\n");
	has(first, "\nTo: <dev@example.org>\n");
	has(first, "\nSubject: [foldwatch] slow-0: 2.00 % more instructions in");
	has(first, "\nContent-Type: text/plain; charset=us-ascii\n");
	has(first, "\nslow-0 is worse than base in 2 cells of submission 1:\n");
	has(first, "\n  fork/order=0,size=16M on det, instructions, emulated\n      10");
	has(first, "+2.00 %");
	has(first, "\n  base: v6.12 ");
	has(first, "\n  slow-0: topic/it's-0 ");
	shell_reads(first, "repro\n--submission\n1\n--kernel\nslow-0\nfork/order=0,size=16M\n");
	has(first, "\nhttps://perf.example.org/#/alert/1\n");
	assert_null(strstr(first, "In-Reply-To"));
	id = header(first, "Message-ID");
	has(id, "<alert-1.");
	has(id, "@perf.example.org>");
	post(p, p->f->submit, "/api/v1/alerts/1/acknowledge",
	     "{\"why\":\"J\xc3\xbcrgen looks.\\n.\\nFrom here on: a line that is longer than "
	     "seventy-two columns has to be broken somewhere, and "
	     "https://example.org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "aaaaaaaaaaaaaaaaa too\"}",
	     200, NULL);
	second = message(p->smtp, 1);
	reads_as_ascii(second);
	has(second, "\nSubject: Re: [foldwatch] slow-0: ");
	has(second, "It was new and is now acknowledged, by ");
	has(second, "J?rgen looks.");
	reply = header(second, "In-Reply-To");
	references = header(second, "References");
	other = header(second, "Message-ID");
	assert_string_equal(reply, id);
	assert_string_equal(references, id);
	assert_string_not_equal(other, id);
	json_decref(told(p, 1, 1, "sent"));
	/* A note is not told. */
	post(p, p->f->submit, "/api/v1/alerts/1/note", "{\"why\":\"hm\"}", 200, NULL);
	sleep_ms(300);
	assert_int_equal(sink_count(p->smtp), 2);
	free(first);
	free(second);
	free(id);
	free(reply);
	free(references);
	free(other);
	place_free(p);
}

static void a_mail_of_a_fault_and_of_hardware(void **state)
{
	struct place *p = place_new(FAST);
	json_t *faults = json_pack("[{s:i,s:s,s:s,s:s,s:b}]", "line", 7, "kind", "bad-page",
	                           "function", "foo", "text",
	                           "BUG: Bad page state in process fork  pfn:4b2e1", "fatal", 0);
	char *m;

	(void)state;
	subscribe(p, MAIL, NULL);
	slow(p, "hw");
	m = message(p->smtp, 0);
	reads_as_ascii(m);
	shell_reads(m, "submit\n--wait\n--fresh\n--board\nhw\n--case\nfork/order=0,size=16M\n"
	               "--baseline\nbase=https://example.org/linux.git#06530c60b994");
	free(m);
	p->f->faults = faults;
	p->f->fault_console = p->f->console;
	p->f->bad_kernel = "slow-1";
	p->f->bad_boots = 1;
	post_slow(p, "det");
	m = message(p->smtp, 1);
	if (getenv("SHOW"))
		fprintf(stderr, "%s", m);
	reads_as_ascii(m);
	has(m, "A boot on det showed a fault of the kernel's");
	has(m, "\n  bad-page:");
	has(m, "\n  > BUG: Bad page state in process fork pfn:4b2e1\n");
	has(m, "\n  foldwatch log --boot ");
	free(m);
	json_decref(faults);
	place_free(p);
}

/* ---- webhooks */

static void a_webhook_and_its_signature(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	char *m, *stamp, *signature, *delivery, *body, hex[SHA256_HEX], *want, *log;
	struct hmac_part parts[4] = {{0}};
	json_t *o, *list;

	(void)state;
	hook(p, "webhook", "");
	slow(p, "det");
	m = message(p->http, 0);
	has(m, "POST /in/s3cret HTTP/1.1\n");
	body = strstr(m, "\n\n") + 2;
	stamp = header(m, "Foldwatch-Timestamp");
	signature = header(m, "Foldwatch-Signature");
	delivery = header(m, "Foldwatch-Delivery");
	parts[0] = (struct hmac_part){stamp, strlen(stamp)};
	parts[1] = (struct hmac_part){".", 1};
	parts[2] = (struct hmac_part){body, strlen(body)};
	hmac_sha256(SECRET, strlen(SECRET), parts, hex);
	want = xasprintf("sha256=%s", hex);
	assert_string_equal(signature, want);
	assert_true(llabs(strtoll(stamp, NULL, 10) - clock_wall_ms() / 1000) < 60);
	o = json_loads(body, 0, NULL);
	assert_string_equal(str_at(o, "delivery"), delivery);
	assert_string_equal(str_at(o, "event"), "new");
	assert_int_equal(int_at(o, "alert.id"), 1);
	assert_int_equal(json_array_size(at(o, "alert.cells")), 2);
	assert_string_equal(str_at(o, "step.to"), "new");
	json_decref(o);
	o = told(p, 1, 0, "sent");
	assert_string_equal(str_at(o, "told.0.delivery"), delivery);
	assert_int_equal(int_at(o, "told.0.attempts"), 1);
	json_decref(o);
	/* The secrets are shown nowhere. */
	assert_int_equal(
	        ask_json(p->f->d, "GET", "/api/v1/subscriptions", p->f->d->admin, NULL, &list),
	        200);
	assert_string_equal(str_at(list, "subscriptions.0.to"), "http://127.0.0.1/...");
	assert_true(json_is_true(at(list, "subscriptions.0.signed")));
	assert_null(json_object_get(at(list, "subscriptions.0"), "secret"));
	json_decref(list);
	log = daemon_log(p->f->d);
	assert_null(strstr(log, "s3cret"));
	assert_null(strstr(log, SECRET));
	has(log, "notify.sent");
	free(log);
	/* One that is made for it is shown once. */
	subscribe(p, "\"channel\":\"webhook\",\"to\":\"https://hooks.example.org/x\"", &o);
	assert_int_equal(strlen(str_at(o, "secret")), 64);
	json_decref(o);
	free(m);
	free(stamp);
	free(signature);
	free(delivery);
	free(want);
	place_free(p);
}

static void slack(void **state)
{
	struct place *p = place_new(FAST ALLOW "public_url = https://perf.example.org\n");
	json_t *o;
	char *m;

	(void)state;
	hook(p, "slack", "");
	slow(p, "det");
	m = message(p->http, 0);
	o = json_loads(strstr(m, "\n\n") + 2, 0, NULL);
	assert_int_equal(json_object_size(o), 1);
	has(str_at(o, "text"), "foldwatch alert 1, new: slow-0: 2.00 % more instructions");
	has(str_at(o, "text"), "https://perf.example.org/#/alert/1");
	assert_null(strstr(m, "Foldwatch-Signature"));
	json_decref(o);
	free(m);
	place_free(p);
}

/* ---- who is told */

static void who_is_told(void **state)
{
	static const struct {
		const char *more;
		bool told;
	} rows[] = {
	        {"", true},
	        {",\"board\":\"d?t\"", true},
	        {",\"board\":\"hw\"", false},
	        {",\"case\":\"fork/order=9*\"", true},
	        {",\"case\":\"mremap*\"", false},
	        {",\"branch\":\"topic/*\"", true},
	        {",\"branch\":\"https://example.org/*#topic/*\"", true},
	        {",\"branch\":\"v6.12\"", false},
	        {",\"min_size\":0.019", true},
	        {",\"min_size\":0.021", false},
	        {",\"direction\":\"any\"", true},
	        {",\"board\":\"det\",\"case\":\"fork*\",\"min_size\":0.021", false},
	};
	struct place *p = place_new(FAST ALLOW);
	json_t *o;
	size_t i, k, n = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(hook(p, "webhook", rows[i].more), i + 1);
		n += rows[i].told;
	}
	slow(p, "det");
	assert_int_equal(sink_await(p->http, (int)n, WAIT_MS), n);
	o = told(p, 1, n - 1, "sent");
	assert_int_equal(json_array_size(at(o, "told")), n);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bool found = false;

		for (k = 0; k < n; k++)
			found |= json_int(json_array_get(at(o, "told"), k), "subscription", 0) ==
			         (int64_t)i + 1;
		if (found != rows[i].told)
			fail_msg("%s: %s", rows[i].more, found ? "told" : "not told");
	}
	json_decref(o);
	/* One that is ended hears no more; a mute silences all. */
	assert_int_equal(
	        ask_json(p->f->d, "DELETE", "/api/v1/subscriptions/1", p->f->d->admin, NULL, NULL),
	        200);
	post(p, p->f->submit, "/api/v1/alerts/1/fix", "{\"why\":\"x\"}", 200, NULL);
	assert_int_equal(sink_await(p->http, (int)(2 * n - 1), WAIT_MS), 2 * n - 1);
	{
		char day[32], body[128];

		clock_iso(clock_wall_ms() + 86400000, day, sizeof(day));
		snprintf(body, sizeof(body),
		         "{\"board\":\"det\",\"why\":\"noise\",\"until\":\"%.10s\"}", day);
		post(p, p->f->d->admin, "/api/v1/mutes", body, 201, NULL);
	}
	slow(p, "det");
	o = alert(p, 2);
	assert_true(json_is_true(at(o, "muted")));
	assert_int_equal(json_array_size(at(o, "told")), 0);
	json_decref(o);
	assert_int_equal(sink_count(p->http), 2 * n - 1);
	place_free(p);
}

/* ---- receivers with bad manners */

static void a_greylist_is_waited_for(void **state)
{
	struct place *p = place_new(FAST);
	json_t *o;

	(void)state;
	sink_script(p->smtp, 3, (const int[]){450, 451, 250});
	subscribe(p, MAIL, NULL);
	slow(p, "det");
	o = told(p, 1, 0, "sent");
	assert_int_equal(int_at(o, "told.0.attempts"), 3);
	assert_int_equal(json_array_size(at(o, "steps")), 1);
	json_decref(o);
	assert_int_equal(sink_count(p->smtp), 1);
	assert_int_equal(sink_tries(p->smtp), 3);
	place_free(p);
}

static void a_refusal_is_final_and_told(void **state)
{
	struct place *p = place_new(FAST);
	json_t *o;

	(void)state;
	sink_script(p->smtp, 1, (const int[]){550});
	subscribe(p, MAIL, NULL);
	slow(p, "det");
	o = told(p, 1, 0, "dead");
	assert_int_equal(int_at(o, "told.0.attempts"), 1);
	has(str_at(o, "told.0.why"), "550");
	assert_int_equal(json_array_size(at(o, "steps")), 2);
	has(str_at(o, "steps.1.why"), "subscription 1 (mail) was not told of step 1, in 1 try: ");
	assert_string_equal(str_at(o, "steps.1.to"), "new");
	assert_true(json_is_null(at(o, "steps.1.by")));
	json_decref(o);
	sleep_ms(200);
	assert_int_equal(sink_tries(p->smtp), 1);
	place_free(p);
}

static void a_server_that_hangs_holds_up_no_webhook(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	int64_t began;
	json_t *o;

	(void)state;
	sink_script(p->smtp, 3, (const int[]){SINK_HANG, SINK_SWALLOW, 250});
	subscribe(p, MAIL, NULL);
	hook(p, "webhook", "");
	slow(p, "det");
	json_decref(told(p, 1, 1, "sent"));
	o = alert(p, 1);
	assert_string_equal(str_at(o, "told.0.state"), "waiting");
	json_decref(o);
	{
		struct reply_raw r;

		assert_int_equal(ask(p->f->d, "GET", "/metrics", NULL, NULL, NULL, 0, &r), 200);
		has(r.body, "\nfoldwatch_alerts{state=\"new\"} 1\n");
		has(r.body, "\nfoldwatch_outbox{channel=\"mail\"} 1\n");
		has(r.body, "\nfoldwatch_outbox{channel=\"webhook\"} 0\n");
		reply_raw_release(&r);
	}
	o = told(p, 1, 0, "sent");
	assert_int_equal(int_at(o, "told.0.attempts"), 3);
	json_decref(o);
	/* And it does not hold up the end. */
	sink_script(p->smtp, 1, (const int[]){SINK_HANG});
	slow(p, "det");
	began = clock_mono_ns();
	place_free(p);
	assert_true(clock_mono_ns() - began < 8 * NS_PER_S);
}

static void a_webhook_that_fails_is_given_up(void **state)
{
	struct place *p = place_new(FAST ALLOW "notify_give_up_s = 2\n");
	json_t *o;
	int tries;

	(void)state;
	sink_script(p->http, 1, (const int[]){500});
	hook(p, "webhook", "");
	slow(p, "det");
	o = told(p, 1, 0, "dead");
	has(str_at(o, "told.0.why"), "answered 500");
	has(str_at(o, "steps.1.why"), "tries: \"127.0.0.1\" answered 500");
	tries = (int)int_at(o, "told.0.attempts");
	json_decref(o);
	/* 20 ms doubled up to 1 s, within 2 s. */
	assert_in_range(tries, 4, 12);
	assert_int_equal(sink_tries(p->http), tries);
	/* The next step is tried anew. */
	sink_script(p->http, 1, (const int[]){200});
	post(p, p->f->submit, "/api/v1/alerts/1/fix", "{\"why\":\"x\"}", 200, NULL);
	json_decref(told(p, 1, 1, "sent"));
	/* Gone is gone. */
	sink_script(p->http, 1, (const int[]){410});
	post(p, p->f->submit, "/api/v1/alerts/1/dismiss", "{\"why\":\"x\"}", 200, NULL);
	o = told(p, 1, 2, "dead");
	assert_int_equal(int_at(o, "told.2.attempts"), 1);
	json_decref(o);
	place_free(p);
}

/* A name says nothing when it is given: the address is looked at when it is connected to. */
static void private_addresses_are_not_reached(void **state)
{
	struct place *p = place_new(FAST "notify_give_up_s = 1\n");
	char *fields = xasprintf("\"channel\":\"webhook\",\"to\":\"http://localhost:%d/\"",
	                         sink_port(p->http));
	json_t *o;

	(void)state;
	subscribe(p, fields, NULL);
	free(fields);
	slow(p, "det");
	o = told(p, 1, 0, "dead");
	has(str_at(o, "told.0.why"), "\"localhost\" is at a private address");
	json_decref(o);
	assert_int_equal(sink_tries(p->http), 0);
	place_free(p);
}

static void a_redirect_is_not_followed(void **state)
{
	struct place *p = place_new(FAST ALLOW "notify_give_up_s = 1\n");
	json_t *o;
	char *m;
	int i;

	(void)state;
	sink_script(p->http, 1, (const int[]){307});
	hook(p, "webhook", "");
	slow(p, "det");
	o = told(p, 1, 0, "dead");
	has(str_at(o, "told.0.why"), "redirects are not followed");
	json_decref(o);
	for (i = 0; i < sink_count(p->http); i++) {
		m = sink_message(p->http, i);
		assert_ptr_equal(strstr(m, "POST /in/s3cret "), m);
		free(m);
	}
	place_free(p);
}

/* ---- crashes */

static void killed_between_commit_and_send(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	char *m;

	(void)state;
	/* Both connect, and get no further. */
	sink_script(p->smtp, 1, (const int[]){SINK_HANG});
	sink_script(p->http, 1, (const int[]){SINK_HANG});
	subscribe(p, MAIL, NULL);
	hook(p, "webhook", "");
	slow(p, "det");
	daemon_kill(p->f->d);
	assert_int_equal(sink_count(p->smtp) + sink_count(p->http), 0);
	sink_script(p->smtp, 1, (const int[]){250});
	sink_script(p->http, 1, (const int[]){200});
	daemon_start(p->f->d);
	json_decref(told(p, 1, 0, "sent"));
	json_decref(told(p, 1, 1, "sent"));
	m = message(p->smtp, 0);
	has(m, "slow-0 is worse than base");
	free(m);
	sleep_ms(200);
	assert_int_equal(sink_count(p->smtp), 1);
	assert_int_equal(sink_count(p->http), 1);
	place_free(p);
}

static void killed_between_send_and_mark(void **state)
{
	static const char *const heads[] = {"Message-ID", "Foldwatch-Delivery", "Date"};
	struct place *p = place_new(FAST ALLOW);
	char *a, *b, *x, *y;
	size_t i;

	(void)state;
	/* Both have it whole, and the server does not hear of it. */
	sink_script(p->smtp, 1, (const int[]){SINK_SWALLOW});
	sink_script(p->http, 1, (const int[]){SINK_SWALLOW});
	subscribe(p, MAIL, NULL);
	hook(p, "webhook", "");
	slow(p, "det");
	free(message(p->smtp, 0));
	free(message(p->http, 0));
	daemon_kill(p->f->d);
	sink_script(p->smtp, 1, (const int[]){250});
	sink_script(p->http, 1, (const int[]){200});
	daemon_start(p->f->d);
	json_decref(told(p, 1, 0, "sent"));
	json_decref(told(p, 1, 1, "sent"));
	/* Twice, and it can be told that it is the same. */
	a = message(p->smtp, 0);
	b = message(p->smtp, sink_count(p->smtp) - 1);
	assert_true(sink_count(p->smtp) >= 2);
	for (i = 0; i < ARRAY_SIZE(heads); i++) {
		x = header(a, heads[i]);
		y = header(b, heads[i]);
		assert_string_equal(x, y);
		free(x);
		free(y);
	}
	assert_string_equal(a, b);
	free(a);
	free(b);
	a = message(p->http, 0);
	b = message(p->http, sink_count(p->http) - 1);
	assert_true(sink_count(p->http) >= 2);
	x = header(a, "Foldwatch-Delivery");
	y = header(b, "Foldwatch-Delivery");
	assert_string_equal(x, y);
	assert_string_equal(strstr(a, "\n\n"), strstr(b, "\n\n"));
	free(x);
	free(y);
	free(a);
	free(b);
	place_free(p);
}

/* At whatever moment it dies, each alert is told, and the same one by the same id. */
static void killed_at_any_moment(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	char *seen[64] = {0};
	int i, k, n = 0, rounds = 8;

	(void)state;
	hook(p, "webhook", "");
	for (i = 0; i < rounds; i++) {
		post_slow(p, "det");
		sleep_ms(i * 6);
		daemon_kill(p->f->d);
		daemon_start(p->f->d);
	}
	for (i = 1; i <= rounds; i++) {
		json_t *o;

		json_decref(fake_await(p->f, i, "done"));
		o = told(p, i, 0, "sent");
		assert_int_equal(json_array_size(at(o, "told")), 1);
		assert_int_equal(json_array_size(at(o, "steps")), 1);
		json_decref(o);
	}
	for (i = 0; i < sink_count(p->http); i++) {
		char *m = sink_message(p->http, i), *id = header(m, "Foldwatch-Delivery");

		for (k = 0; k < n && strcmp(seen[k], id) != 0; k++)
			;
		if (k == n && n < (int)ARRAY_SIZE(seen))
			seen[n++] = id;
		else
			free(id);
		free(m);
	}
	assert_int_equal(n, rounds);
	for (i = 0; i < n; i++)
		free(seen[i]);
	place_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_mail_and_its_thread),
	        cmocka_unit_test(a_mail_of_a_fault_and_of_hardware),
	        cmocka_unit_test(a_webhook_and_its_signature),
	        cmocka_unit_test(slack),
	        cmocka_unit_test(who_is_told),
	        cmocka_unit_test(a_greylist_is_waited_for),
	        cmocka_unit_test(a_refusal_is_final_and_told),
	        cmocka_unit_test(a_server_that_hangs_holds_up_no_webhook),
	        cmocka_unit_test(a_webhook_that_fails_is_given_up),
	        cmocka_unit_test(private_addresses_are_not_reached),
	        cmocka_unit_test(a_redirect_is_not_followed),
	        cmocka_unit_test(killed_between_commit_and_send),
	        cmocka_unit_test(killed_between_send_and_mark),
	        cmocka_unit_test(killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
