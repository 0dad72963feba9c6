/* What a bisection found, as it is told: by mail, webhook and feed. */
#include "server/test/bisect_bed.h"
#include "server/test/notify_bed.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/zst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char profile[2][65];

static const char *profiled(const char *name)
{
	return profile[branch_effect(name) > 0];
}

static void put_profiles(struct fake *f)
{
	static char vmlinux[65];

	fake_put(f, "symbols", 7, vmlinux);
	f->vmlinux = vmlinux;
	f->profiled = profiled;
	for (int i = 0; i < 2; i++) {
		char *text = xasprintf("{\"format\":1,\"runs\":[{\"windows\":3,\"switches\":0,"
		                       "\"tlbi\":1,\"dsb\":2,\"rows\":[[\"copy_page\",%d,1],"
		                       "[\"zap\",7,1]]},{\"windows\":0,\"switches\":0,\"tlbi\":0,"
		                       "\"dsb\":0,\"rows\":[]}]}",
		                       1000 + 20000 * i);
		struct buf b;

		buf_init(&b, 1 << 20);
		assert_int_equal(zst_pack(text, strlen(text), 3, &b, NULL), OK);
		fake_put(f, b.data, b.len, profile[i]);
		buf_release(&b);
		free(text);
	}
}

/* The first message with these words: one may come twice, the server is stopped meanwhile. */
static char *message_with(struct sink *s, const char *words)
{
	for (int i = 0;; i++) {
		char *text = message(s, i);

		if (strstr(text, words))
			return text;
		free(text);
	}
}

static void the_suspect_is_told(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	struct reply_raw r;
	char *mail, *hooked, *first;
	json_t *o;

	(void)state;
	subscribe(p, MAIL, NULL);
	hook(p, "webhook", "");
	branch_of(12, 7);
	p->f->effect = branch_effect;
	put_profiles(p->f);
	branch_follow(p->f, branch_measured(p->f, "\"det\"", ""));
	json_decref(bisected(p->f, 1, "done"));
	/* New, confirmed, and found: what lies between is in the story alone. */
	first = message(p->smtp, 0);
	assert_null(strstr(first, "bisection"));
	mail = message_with(p->smtp, "By bisection");
	if (getenv("SHOW"))
		fprintf(stderr, "%s", mail);
	has(mail, "\nIt is confirmed.\n");
	has(mail, "\nBy bisection, 3 steps and 9 boots, it is\n");
	has(mail, "(\"mm: commit 7\")\n  A. Author <a@example.org>\n");
	has(mail, "\nAgainst what is before it (");
	has(mail, "\n  fork/order=0,size=16M on det, instructions, emulated\n");
	has(mail, "\n  foldwatch repro --submission ");
	has(mail, branch_name(7));
	has(mail, "Instructions by function, in the first of them:\n\n"
	          "  copy_page 1000 -> 21000 (+20000)\n\n");
	hooked = message_with(p->http, "\"bisected: ");
	o = json_loads(strstr(hooked, "{"), 0, NULL);
	assert_non_null(o);
	assert_string_equal(str_at(o, "event"), "confirmed");
	assert_string_equal(str_at(o, "alert.bisection.culprit.commit"), branch_commit(7));
	assert_int_equal(int_at(o, "alert.bisection.boots"), 9);
	has(str_at(o, "step.why"), "bisected: ");
	json_decref(o);
	free(hooked);
	hooked = message_with(p->http, "measured again");
	o = json_loads(strstr(hooked, "{"), 0, NULL);
	assert_true(json_is_null(at(o, "alert.bisection")));
	json_decref(o);
	assert_int_equal(ask(p->f->d, "GET", "/feeds/alerts.atom", NULL, NULL, NULL, 0, &r), 200);
	has(r.body, "bisected: ");
	has(r.body, "mm: commit 7 (A. Author &lt;a@example.org&gt;)");
	reply_raw_release(&r);
	free(first);
	free(mail);
	free(hooked);
	place_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_suspect_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
