#include "server/store_meta.h"

#include "lib/mem.h"

enum err store_meta_jobs(struct db *db, store_meta_fn *each, void *ctx, struct why *w)
{
	static const char *const kinds[] = {"resolve", "build", "boot", "walk"};
	static const char *const states[] = {"queued", "leased"};
	enum err e = OK;

	/* One look into the index for each pair: a GROUP BY would walk over all
	 * the jobs that ever were. */
	for (size_t i = 0; e == OK && i < ARRAY_SIZE(kinds) * ARRAY_SIZE(states); i++) {
		const char *kind = kinds[i / 2], *state = states[i % 2];
		struct db_stmt *s =
		        db_prepare(db, "SELECT count(*) FROM job WHERE kind = ?1 AND state = ?2");
		int64_t n = 0;

		db_bind_text(s, 1, kind);
		db_bind_text(s, 2, state);
		e = db_run_int(s, &n, w);
		if (e == OK)
			each(ctx, kind, state, n);
	}
	return e;
}

enum err store_meta_boards(struct db *db, store_meta_fn *each, void *ctx, struct why *w)
{
	struct db_stmt *s =
	        db_prepare(db, "SELECT kind, state, count(*) FROM board GROUP BY kind, state");
	enum err e;

	while ((e = db_step(s, w)) == OK && db_has_row(s))
		each(ctx, db_text(s, 0), db_text(s, 1), db_int(s, 2));
	db_done(s);
	return e;
}

static enum err count_words(struct db *db, const char *sql, const char *const *words,
                            store_meta_fn *each, void *ctx, struct why *w)
{
	enum err e = OK;

	for (; e == OK && *words; words++) {
		struct db_stmt *s = db_prepare(db, sql);
		int64_t n = 0;

		db_bind_text(s, 1, *words);
		e = db_run_int(s, &n, w);
		if (e == OK)
			each(ctx, *words, NULL, n);
	}
	return e;
}

enum err store_meta_alerts(struct db *db, store_meta_fn *each, void *ctx, struct why *w)
{
	static const char *const states[] = {"new", "confirmed", "acknowledged", NULL};

	return count_words(db, "SELECT count(*) FROM alert WHERE state = ?1", states, each, ctx, w);
}

enum err store_meta_outbox(struct db *db, store_meta_fn *each, void *ctx, struct why *w)
{
	static const char *const channels[] = {"mail", "webhook", "slack", NULL};

	return count_words(db,
	                   "SELECT count(*) FROM outbox WHERE state = 'waiting' AND channel = ?1",
	                   channels, each, ctx, w);
}
