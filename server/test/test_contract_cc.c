/* Copies of mails to those whom the patches of a series name, as a mail server gets them. */
#include "server/test/notify_bed.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TREES "notify_cc_trees = https://example.org/linux.git\n"
#define PEOPLE                                                                                   \
	"[\"ada@example.org\",\"dev@example.org\",\"ADA@example.org\",\"list@vger.kernel.org\"," \
	"\"bob@example.net\"]"

/* A series whose tip is slow, on that tree, with so many steps of the search; its alert is
 * there when it returns. */
static void searched_series(struct place *p, const char *tree, int steps)
{
	char bundle[65], *body;
	struct fake *f = p->f;
	bool done = false;
	int64_t sub;

	f->patches = 3;
	f->version = 1;
	f->slow_kernel = "tip";
	fake_put(f, "a bundle", 8, bundle);
	body = xasprintf(
	        "{\"title\":\"s\",\"boards\":[\"det\"],\"cases\":[\"fork/order=0,size=16M\"],"
	        "\"validate\":false,\"plan\":{\"boots\":8},\"series\":{\"tree\":\"%s\","
	        "\"base\":\"v6.12\",\"bundle\":\"%s\",\"steps\":%d}}",
	        tree, bundle, steps);
	sub = fake_submit(f, body);
	free(body);
	/* A step is asked for when what came before is judged. */
	for (int i = 0; i < 1000 && !done; i++) {
		char path[64];
		json_t *s;

		fake_work(f);
		snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
		s = fake_get(f, path);
		done = strcmp(str_at(s, "state"), "done") == 0;
		json_decref(s);
		if (!done)
			sleep_ms(10);
	}
	assert_true(done);
}

static void slow_series(struct place *p, const char *tree)
{
	searched_series(p, tree, 0);
}

static int count(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

static void named_in_trailers(void **state)
{
	struct place *p = place_new(FAST TREES "notify_cc_never = *@vger.kernel.org\n");
	char *mail, *commands, *other;

	(void)state;
	p->f->persons = PEOPLE;
	subscribe(p, MAIL, NULL);
	subscribe(p, "\"channel\":\"mail\",\"to\":\"second@example.org\"", NULL);
	slow_series(p, "https://example.org/linux.git");
	mail = message(p->smtp, 0);
	other = message(p->smtp, 1);
	has(mail, "\nTo: <dev@example.org>\nCc: <ADA@example.org>,\n <bob@example.net>\nSubject: ");
	has(mail, "\nCc: whom the trailers of the patches name\n");
	/* One copy, with the first mail of the step. */
	has(other, "\nTo: <second@example.org>\nSubject: ");
	commands = sink_commands(p->smtp);
	assert_int_equal(count(commands, "RCPT TO:"), 4);
	assert_int_equal(count(commands, "RCPT TO:<bob@example.net>"), 1);
	assert_null(strstr(commands, "vger"));
	free(commands);
	free(mail);
	free(other);
	place_free(p);
}

static void only_of_allowed_trees(void **state)
{
	static const struct {
		const char *conf, *tree;
		bool copied;
	} cases[] = {
	        {"", "https://example.org/linux.git", false},
	        {TREES, "https://example.org/linux.git-evil", false},
	        {"notify_cc_trees = https://example.net/ https://example.org/\n",
	         "https://example.org/linux.git", true},
	        {"notify_cc_trees = https://example.org\n", "https://example.org/linux.git", true},
	        {"notify_cc_trees = https://example.org/\nnotify_cc_never = *\n",
	         "https://example.org/linux.git", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *conf = xasprintf(FAST "%s", cases[i].conf), *mail;
		struct place *p = place_new(conf);

		p->f->persons = PEOPLE;
		subscribe(p, MAIL, NULL);
		slow_series(p, cases[i].tree);
		mail = message(p->smtp, 0);
		if ((strstr(mail, "\nCc: <") != NULL) != cases[i].copied)
			fail_msg("%s and %s:\n%s", cases[i].conf, cases[i].tree, mail);
		free(mail);
		free(conf);
		place_free(p);
	}
}

/* The alert waits for the search, and its first letter has what was found: without
 * steps that is the whole of the series. */
static void the_patch_that_matters(void **state)
{
	(void)state;
	for (int steps = 0; steps < 5; steps += 4) {
		struct place *p = place_new(FAST TREES);
		char *mail;

		subscribe(p, MAIL, NULL);
		searched_series(p, "https://example.org/linux.git", steps);
		mail = message(p->smtp, 0);
		has(mail, "\ntip is worse than base in 1 cell of submission 1:\n");
		has(mail, "In the series it comes with\n\n");
		has(mail, steps ? "\n  patch 3, " : "\n  one of patches 1 to 3, ");
		has(mail, "\n    +2.00 % in fork/order=0,size=16M on det\n");
		free(mail);
		place_free(p);
	}
}

/* One that is refused costs the subscriber nothing. */
static void a_refused_copy(void **state)
{
	struct place *p = place_new(FAST TREES);
	char *mail;

	(void)state;
	p->f->persons = "[\"gone@example.org\"]";
	sink_script(p->smtp, 2, (const int[]){550, 250});
	subscribe(p, MAIL, NULL);
	slow_series(p, "https://example.org/linux.git");
	json_decref(told(p, 1, 0, "sent"));
	mail = message(p->smtp, 0);
	has(mail, "\nTo: <dev@example.org>\nSubject: ");
	assert_null(strstr(mail, "Cc:"));
	assert_int_equal(sink_count(p->smtp), 1);
	free(mail);
	place_free(p);
}

/* The twentieth is the last, and no line is longer than one. */
static void many(void **state)
{
	struct place *p = place_new(FAST TREES);
	struct buf people;
	char *mail, *commands;

	(void)state;
	buf_init(&people, 4096);
	for (int i = 0; i < 20; i++)
		buf_addf(&people, "%s\"person-%02d@example.org\"", i ? "," : "[", i);
	buf_adds(&people, "]");
	p->f->persons = people.data;
	subscribe(p, MAIL, NULL);
	slow_series(p, "https://example.org/linux.git");
	mail = message(p->smtp, 0);
	commands = sink_commands(p->smtp);
	assert_int_equal(count(commands, "RCPT TO:"), 21);
	free(mail);
	free(commands);
	buf_release(&people);
	place_free(p);
}

/* What an agent says is checked, too. */
static void no_header_comes_in(void **state)
{
	static const char *const bad[] = {"[\"a@b\\nBcc: c@d\"]",
	                                  "[\"a@b\\r\\nX: y\"]",
	                                  "[\"A <a@b>\"]",
	                                  "[\"a\"]",
	                                  "[\"\"]",
	                                  "[7]",
	                                  "[\"a@b,c@d\"]",
	                                  "[\"\u00e4@b\"]",
	                                  "\"a@b\""};
	struct place *p = place_new(FAST TREES);
	char bundle[65], *body;
	json_t *lease;

	(void)state;
	fake_put(p->f, "a bundle", 8, bundle);
	body = xasprintf(
	        "{\"title\":\"s\",\"boards\":[\"det\"],\"cases\":[\"fork/order=0,size=16M\"],"
	        "\"series\":{\"tree\":\"https://example.org/l\",\"base\":\"v1\",\"bundle\":"
	        "\"%s\"}}",
	        bundle);
	fake_submit(p->f, body);
	free(body);
	lease = fake_claim(p->f, "[\"resolve\"]", "[]");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *o = NULL, *result = NULL;
		char key[16];

		body = xasprintf(
		        "{\"attempt\":1,\"state\":\"done\",\"resolve\":{\"commit\":\"%040d\","
		        "\"subject\":\"s\",\"patches\":[{\"commit\":\"%040d\",\"subject\":"
		        "\"s\",\"author\":\"a\",\"persons\":%s}]}}",
		        1, 2, bad[i]);
		result = json_loads(body, 0, NULL);
		if (!result)
			fail_msg("%s", body);
		snprintf(key, sizeof(key), "k%zu", i);
		assert_int_equal(fake_post(p->f, int_at(lease, "id"), key, result, &o), 400);
		has(str_at(o, "error.message"), "persons");
		json_decref(o);
		json_decref(result);
		free(body);
	}
	json_decref(lease);
	place_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(named_in_trailers),
	        cmocka_unit_test(only_of_allowed_trees),
	        cmocka_unit_test(the_patch_that_matters),
	        cmocka_unit_test(a_refused_copy),
	        cmocka_unit_test(many),
	        cmocka_unit_test(no_header_comes_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
