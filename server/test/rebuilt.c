#include "server/test/rebuilt.h"
#include "server/db.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *answers(struct daemon *d, const char *const *queries, size_t n)
{
	char *path = xasprintf("%s/state/foldwatch.db", d->dir);
	struct db_store *store;
	struct why w;
	struct buf b;

	buf_init(&b, 16 << 20);
	if (db_open(path, 1, &store, &w) != OK)
		fail_msg("%s", w.text);
	for (size_t i = 0; i < n; i++) {
		struct db_stmt *q = db_prepare(db_reader(store), queries[i]);

		while (db_step(q, &w) == OK && db_has_row(q))
			buf_addf(&b, "%s\n", db_text(q, 0));
		db_done(q);
	}
	db_close(store);
	free(path);
	return buf_take(&b, NULL);
}

void daemon_expect_rebuilt(struct daemon *d, const char *const *queries, size_t n, const char *word)
{
	char *before, *after, *out;

	daemon_stop(d);
	before = answers(d, queries, n);
	if (!strstr(before, word))
		fail_msg("nothing says \"%s\"", word);
	if (daemon_run(d, (const char *const[]){"rebuild", NULL}, &out))
		fail_msg("rebuild: %s", out);
	after = answers(d, queries, n);
	assert_string_equal(after, before);
	free(out);
	free(after);
	free(before);
}
