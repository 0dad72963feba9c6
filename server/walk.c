/* walk.c - walks as jobs. */
#include "server/walk.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/bisections.h"
#include "server/schedule.h"
#include "server/tracks.h"

/* What waits for a walk goes on from here, each in a function that returns at once where
 * it is not its own. */
static enum err walk_ended(struct db *db, const struct walk *k, int64_t now_ms, struct why *w)
{
	enum err e = tracks_walked(db, k->id, now_ms, w);

	return e == OK ? bisections_walked(db, k, now_ms, w) : e;
}

enum err walk_ask(struct db *db, const char *submitter, const char *tree, const char *ref,
                  const char *since, int64_t urgency, int64_t now_ms, int64_t *walk, struct why *w)
{
	struct walk k = {.submitter = submitter, .tree = tree, .ref = ref, .since = since};
	struct job j = job_blank();
	char domain[17];
	int64_t job;
	enum err e = store_walk_add(db, &k, now_ms, walk, w);

	schedule_domain(submitter, tree, domain);
	j.kind = "walk";
	j.submitter = submitter;
	j.urgency = urgency;
	j.domain = domain;
	j.tree = tree;
	j.ref = ref;
	if (e == OK)
		e = store_job_add(db, &j, now_ms, &job, w);
	return e == OK ? store_walk_job(db, *walk, job, w) : e;
}

enum err walk_answered(struct db *db, const struct job *j, const struct walk *k, int64_t now_ms,
                       struct why *w)
{
	enum err e = store_job_end(db, j->id, "done", NULL, NULL, now_ms, w);

	if (e == OK)
		e = store_walk_done(db, k, now_ms, w);
	return e == OK ? walk_ended(db, k, now_ms, w) : e;
}

enum err walk_failed(struct db *db, const struct job *j, const char *why, int64_t now_ms,
                     struct why *w)
{
	struct pool *p = pool_new();
	struct walk k;
	enum err e = store_walk_of_job(db, j->id, p, &k, w);

	if (e == OK)
		e = store_walk_failed(db, k.id, why, now_ms, w);
	if (e == OK)
		e = walk_ended(db, &k, now_ms, w);
	pool_free(p);
	return e;
}

enum err walk_cancel(struct db *db, int64_t walk, const char *why, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct walk k;
	enum err e = store_walk_get(db, walk, p, &k, w);

	if (e == OK && str_eq(k.state, "asked")) {
		e = store_job_cancel(db, k.job, why, now_ms, w);
		if (e == OK)
			e = store_walk_failed(db, k.id, why, now_ms, w);
	}
	pool_free(p);
	return e;
}

enum err walk_tidy(struct db *db, const struct walk *k, struct why *w)
{
	int64_t id = 0;
	enum err e = store_walk_in_vain(db, k, &id, w);

	while (e == OK && id) {
		e = store_walk_drop(db, id, w);
		if (e == OK)
			e = store_walk_in_vain(db, k, &id, w);
	}
	return e;
}
