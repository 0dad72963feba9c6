/* walk.c - walks as jobs. */
#include "server/walk.h"

#include "server/schedule.h"

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
