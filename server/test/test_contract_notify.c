/* Telling: mail and webhooks as they are received, and by whom. */
#include "server/test/notify_bed.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_mail_and_its_thread),
	        cmocka_unit_test(a_mail_of_a_fault_and_of_hardware),
	        cmocka_unit_test(a_webhook_and_its_signature),
	        cmocka_unit_test(slack),
	        cmocka_unit_test(who_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
