#include "server/test/point_bed.h"

#include "lib/hash.h"
#include "lib/mem.h"
#include "server/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void point_commit(const char *ref, char out[65])
{
	hash_block(ref, strlen(ref), out);
	out[40] = '\0';
}

int64_t point_submit(struct fake *f, const char *before, const char *name, const char *boards)
{
	char *base = before ? xasprintf("{\"name\":\"%s\",\"tree\":\"" POINT_TREE
	                                "\",\"ref\":\"%s\",\"config\":\"contpte-y\"},",
	                                before, before)
	                    : xstrdup("");
	char *body = xasprintf(
	        "{\"title\":\"%s\",\"kernels\":[%s{\"name\":\"%s\",\"tree\":\"" POINT_TREE
	        "\",\"ref\":\"%s\",\"config\":\"contpte-y\"}],\"boards\":[%s],"
	        "\"cases\":[\"" POINT_CASE "\",\"" POINT_OTHER "\"],\"plan\":{\"boots\":6}}",
	        name, base, name, name, boards);
	int64_t id = fake_submit(f, body);

	free(body);
	free(base);
	return id;
}

static enum err add_track(struct db *db, struct points *x, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO track (tree, branch, every_ms, mode, request, config, release,"
	            " submitter, admin, state, looked_ms, next_ms, wake_ms, created_ms, changed_ms)"
	            " VALUES ('" POINT_TREE
	            "', 'master', 900000, 'tips', '{\"cases\":[\"" POINT_CASE "\",\"" POINT_OTHER
	            "\"],\"plan\":{\"boots\":6}}', '\"contpte-y\"', ?1, 'test submit', 0, 'active',"
	            " 9000000000000, 9000000000000, 9000000000000, 1, 1) RETURNING id");

	db_bind_text(q, 1, x->release);
	return db_run_int(q, &x->track, w);
}

static enum err add_points(struct db *db, void *arg, struct why *w)
{
	struct points *x = arg;
	struct db_stmt *q;
	int64_t walk = 0;
	enum err e = OK;

	q = db_prepare(db, "INSERT INTO walk (submitter, tree, ref, state, asked_ms) VALUES"
	                   " ('submit', '" POINT_TREE "', 'master', 'done', 1) RETURNING id");
	e = db_run_int(q, &walk, w);
	if (e == OK && !x->track)
		e = add_track(db, x, w);
	for (size_t i = 0; e == OK && i < x->n; i++) {
		char commit[65];

		point_commit(x->at[i].ref, commit);
		q = db_prepare(db, "INSERT INTO track_point (track_id, position, commit_id, kind,"
		                   " walk_id, rebased, submission_id, seen_ms) SELECT ?1,"
		                   " coalesce(max(position), 0) + 1, ?2, 'tip', ?3, 0, ?4, 1"
		                   " FROM track_point WHERE track_id = ?1");
		db_bind_int(q, 1, x->track);
		db_bind_text(q, 2, commit);
		db_bind_int(q, 3, walk);
		db_bind_int(q, 4, x->at[i].submission);
		e = db_run(q, w);
	}
	return e;
}

void points_follow(struct fake *f, struct points *x)
{
	char *path = xasprintf("%s/state/foldwatch.db", f->d->dir);
	struct db_store *s;
	struct why w;

	daemon_stop(f->d);
	if (db_open(path, 1, &s, &w) != OK || db_write(s, add_points, x, &w) != OK)
		fail_msg("%s", w.text);
	db_close(s);
	free(path);
	daemon_start(f->d);
}
