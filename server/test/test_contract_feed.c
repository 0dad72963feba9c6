/* A feed of many alerts with many cells, which is whole XML all the same. */
#include "server/db.h"
#include "server/test/fake_agent.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "

static enum err fill(struct db *db, void *arg, struct why *w)
{
	static const char *const all[] = {
	        MANY "150) INSERT INTO alert (kind, cause, title, state, created_ms, changed_ms)"
	             " SELECT 'slower', 'c' || i, 'alert ' || i, 'new', i, i FROM n",
	        MANY "150) INSERT INTO alert_step (alert_id, to_state, why, at_ms)"
	             " SELECT i, 'new', 'the reason of ' || i, i FROM n",
	        MANY
	        "600) INSERT INTO alert_cell (alert_id, pos, board, case_text, metric, verdict,"
	        " change) SELECT a.id, i, 'a-board-with-a-name', 'fork/order=9,size=' || i ||"
	        " 'M,and-some-more', 'instructions', 'slower', 0.02 FROM n, alert a",
	};
	enum err e = OK;

	(void)arg;
	for (size_t i = 0; e == OK && i < ARRAY_SIZE(all); i++)
		e = db_run(db_prepare(db, all[i]), w);
	return e;
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word))) {
		n++;
		text += strlen(word);
	}
	return n;
}

static void many_cells(void **state)
{
	struct fake *f = *state;
	char *path = xasprintf("%s/state/foldwatch.db", f->d->dir);
	struct db_store *s;
	struct reply_raw r;
	struct why w;

	daemon_stop(f->d);
	if (db_open(path, 1, &s, &w) != OK || db_write(s, fill, NULL, &w) != OK)
		fail_msg("%s", w.text);
	db_close(s);
	free(path);
	daemon_start(f->d);
	assert_int_equal(ask(f->d, "GET", "/feeds/alerts.atom?limit=150", NULL, NULL, NULL, 0, &r),
	                 200);
	assert_int_equal(count(r.body, "<entry>"), 150);
	assert_int_equal(count(r.body, "</entry>"), 150);
	/* What was said last is in each. */
	assert_int_equal(count(r.body, "new: the reason of "), 150);
	assert_int_equal(count(r.body, "and 588 more"), 150);
	assert_non_null(strstr(r.body, "</feed>"));
	reply_raw_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(many_cells, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
