#include "server/test/history_bed.h"
#include "server/history.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASE "fork/order=0,size=256M"

static void must(enum err e, const struct why *w)
{
	if (e != OK)
		fail_msg("%s", w->text);
}

struct db_store *bed_open(const char *dir)
{
	char *path = xasprintf("%s/foldwatch.db", dir);
	struct db_store *s;
	struct why w;

	must(db_open(path, 1, &s, &w), &w);
	free(path);
	return s;
}

struct making {
	const char *branch;
	int64_t id;
};

static enum err make_track(struct db *db, void *arg, struct why *w)
{
	static const char *const first[] = {
	        "INSERT INTO agent (name, version, builds, seen_ms) VALUES ('bed', '1', 1, 1)"
	        " ON CONFLICT DO NOTHING",
	        "INSERT INTO board (name, agent, kind, labels, metric, deterministic, emulated,"
	        " untrusted, capabilities, description, identity, offered, state) VALUES"
	        " ('det', 'bed', 'qemu', ' ', 'instructions', 1, 1, 1, '{}', '', 'i', 1, 'active'),"
	        " ('hw', 'bed', 'self', ' ', 'ns', 0, 0, 1, '{}', '', 'i', 1, 'active')"
	        " ON CONFLICT DO NOTHING",
	        "INSERT INTO walk (id, submitter, tree, ref, state, asked_ms) VALUES"
	        " (1, 'bed', 'https://example.org/linux.git', 'master', 'done', 1)"
	        " ON CONFLICT DO NOTHING",
	};
	struct making *m = arg;
	struct db_stmt *q;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < ARRAY_SIZE(first); i++)
		e = db_run(db_prepare(db, first[i]), w);
	if (e != OK)
		return e;
	q = db_prepare(db,
	               "INSERT INTO track (tree, branch, every_ms, mode, request, config,"
	               " submitter, state, next_ms, created_ms, changed_ms) VALUES"
	               " ('https://example.org/linux.git', ?1, 900000, 'tips',"
	               " '{\"cases\":[\"" CASE "\"]}', '\"contpte-y\"', 'bed', 'active', 1, 1, 1)"
	               " RETURNING id");
	db_bind_text(q, 1, m->branch);
	return db_run_int(q, &m->id, w);
}

int64_t bed_track(struct db_store *s, const char *branch)
{
	struct making m = {branch, 0};
	struct why w;

	must(db_write(s, make_track, &m, &w), &w);
	return m.id;
}

static void commit_of(int64_t track, int64_t position, char out[41])
{
	snprintf(out, 41, "%08llx%032llx", (unsigned long long)track, (unsigned long long)position);
}

static enum err add_kernel(struct db *db, const struct bed_point *x, int64_t position,
                           const char *binary, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO kernel (id, key, domain, tree, commit_id, subject, config_name,"
	            " config_whole, state, section_hash, image, created_ms) VALUES (?1, ?2, 'd',"
	            " 'https://example.org/linux.git', ?3, ?5, 'contpte-y', 0, 'ready', ?4, ?4, 1)"
	            " ON CONFLICT DO NOTHING");
	char commit[41], key[32], hash[64], subject[64];

	commit_of(x->track, position, commit);
	snprintf(key, sizeof(key), "%lld.%lld", (long long)x->track, (long long)position);
	snprintf(hash, sizeof(hash), "binary %lld.%lld", (long long)x->track, (long long)position);
	snprintf(subject, sizeof(subject), "mm: change number %lld", (long long)position);
	db_bind_int(q, 1, SUBMISSION(x->track, position));
	db_bind_text(q, 2, key);
	db_bind_text(q, 3, commit);
	db_bind_text(q, 4, binary ? binary : hash);
	db_bind_text(q, 5, subject);
	return db_run(q, w);
}

static enum err add_side(struct db *db, const struct bed_point *x, int64_t pos, int64_t position,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO submission_kernel (submission_id, pos, name, tree, ref,"
	            " config_name, config_whole, commit_id, kernel_id, state, subject) VALUES"
	            " (?1, ?2, ?3, 'https://example.org/linux.git', 'master', 'contpte-y', 0, ?4,"
	            " ?5, 'ready', ?6)");
	char commit[41], name[32], subject[64];

	commit_of(x->track, position, commit);
	snprintf(name, sizeof(name), "p%lld", (long long)position);
	snprintf(subject, sizeof(subject), "mm: change number %lld", (long long)position);
	db_bind_int(q, 1, SUBMISSION(x->track, x->position));
	db_bind_int(q, 2, pos);
	db_bind_text(q, 3, name);
	db_bind_text(q, 4, commit);
	db_bind_int(q, 5, SUBMISSION(x->track, position));
	db_bind_text(q, 6, subject);
	return db_run(q, w);
}

static enum err add_cell(struct db *db, const struct bed_point *x, int64_t pos, int64_t position,
                         bool own, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "INSERT INTO cell (submission_id, pos, board, case_text, metric, kernel, env_id,"
	        " mean, base_mean, std_rel, change, low, high, tau, layouts, boots,"
	        " invalid_boots, runs, skewed, verdict, last_boot) VALUES (?1, ?2, ?3, '" CASE
	        "', ?4, ?5, ?6, ?7, ?8, 0.001, ?9, ?10, ?11, ?12, 1, 8, 0, 8, 0, ?13, ?1)");
	char name[32];
	double change = own ? x->value / x->base - 1 : 0;

	snprintf(name, sizeof(name), "p%lld", (long long)position);
	db_bind_int(q, 1, SUBMISSION(x->track, x->position));
	db_bind_int(q, 2, pos);
	db_bind_text(q, 3, x->board);
	db_bind_text(q, 4, str_eq(x->board, "det") ? "instructions" : "ns");
	db_bind_text(q, 5, name);
	db_bind_text(q, 6, x->env ? x->env : "e1");
	bind_num(q, 7, own ? x->value : x->base);
	bind_num(q, 8, x->base);
	bind_num(q, 9, change);
	bind_num(q, 10, own ? change - .0005 : NAN);
	bind_num(q, 11, own ? change + .0005 : NAN);
	bind_num(q, 12, x->tau > 0 ? x->tau : NAN);
	db_bind_text(q, 13, own && x->verdict ? x->verdict : "same");
	return db_run(q, w);
}

static enum err run_1(struct db *db, const char *sql, int64_t a, int64_t b, const char *t,
                      int64_t c, struct why *w)
{
	struct db_stmt *q = db_prepare(db, sql);

	db_bind_int(q, 1, a);
	db_bind_int(q, 2, b);
	db_bind_text(q, 3, t);
	db_bind_int(q, 4, c);
	return db_run(q, w);
}

static enum err add_point(struct db *db, const struct bed_point *x, struct why *w)
{
	int64_t sub = SUBMISSION(x->track, x->position);
	char commit[41];
	enum err e;

	commit_of(x->track, x->position, commit);
	e = run_1(
	        db,
	        "INSERT INTO submission (id, submitter, content_hash, title, baseline, priority,"
	        " reuse, runs, iterations, warmup, layouts, plan, memory_bytes, imported, state,"
	        " planned, created_ms, ended_ms) VALUES (?1, 'bed', ?3, 'bed', 0, 0, 1, 1, 5, 1, 1,"
	        " '', 1, 0, 'done', 1, 1 + ?2, 1 + ?4)",
	        sub, 0, "h", 0, w);
	if (e == OK && x->against)
		e = add_kernel(db, x, x->against, NULL, w);
	if (e == OK)
		e = add_kernel(db, x, x->position, x->binary, w);
	if (e == OK && x->against)
		e = add_side(db, x, 0, x->against, w);
	if (e == OK)
		e = add_side(db, x, x->against ? 1 : 0, x->position, w);
	if (e == OK)
		e = run_1(db,
		          "INSERT INTO comparison (submission_id, last_boot, last_known, complete,"
		          " body) VALUES (?1, ?1 + ?2, ?4, 1, ?3)",
		          sub, 0, "{}", 0, w);
	if (e == OK && x->against)
		e = add_cell(db, x, 0, x->against, false, w);
	if (e == OK)
		e = add_cell(db, x, 1, x->position, x->against != 0 || isnan(x->base), w);
	return e == OK ? run_1(db,
	                       "INSERT INTO track_point (track_id, position, commit_id, kind,"
	                       " walk_id, rebased, submission_id, seen_ms) VALUES (?1, ?2, ?3,"
	                       " 'tip', 1, 0, ?4, 60000 * ?2)",
	                       x->track, x->position, commit, sub, w)
	               : e;
}

struct batch {
	const struct bed_point *at;
	size_t n;
};

static enum err add_points(struct db *db, void *arg, struct why *w)
{
	const struct batch *b = arg;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < b->n; i++)
		e = add_point(db, &b->at[i], w);
	return e;
}

void bed_points(struct db_store *s, const struct bed_point *x, size_t n)
{
	struct batch b = {x, n};
	struct why w;

	must(db_write(s, add_points, &b, &w), &w);
}

struct deriving {
	int64_t submission;
	bool live;
};

static enum err derive(struct db *db, void *arg, struct why *w)
{
	const struct deriving *d = arg;

	return history_compared(db, d->submission, d->live, 1000, w);
}

void bed_derive(struct db_store *s, int64_t track, int64_t position, bool live)
{
	struct deriving d = {SUBMISSION(track, position), live};
	struct why w;

	must(db_write(s, derive, &d, &w), &w);
}

void bed_point(struct db_store *s, const struct bed_point *x)
{
	bed_points(s, x, 1);
	bed_derive(s, x->track, x->position, true);
}

char *bed_rows(struct db_store *s, const char *query)
{
	struct db_stmt *q = db_prepare(db_reader(s), query);
	struct buf b;
	struct why w;
	enum err e;

	buf_init(&b, 64 << 20);
	while ((e = db_step(q, &w)) == OK && db_has_row(q))
		buf_addf(&b, "%s\n", db_text(q, 0));
	db_done(q);
	must(e, &w);
	return buf_take(&b, NULL);
}

char *bed_histories(struct db_store *s)
{
	static const char key[] = "SELECT h.board || ' ' || h.env_id || ' ' || ";
	char *points, *changes, *state, *blocks, *all, *query;

	query = xasprintf("%sx.position || ' ' || x.value || ' ' || x.boots || ' ' || x.carried"
	                  " || ' ' || coalesce(x.against, '-') || ' ' || x.submission_id"
	                  " FROM history h JOIN history_point x ON x.history_id = h.id"
	                  " ORDER BY h.board, h.env_id, x.position",
	                  key);
	points = bed_rows(s, query);
	free(query);
	query = xasprintf("%sx.position || ' ' || x.class || ' ' || x.before || ' ' || x.after"
	                  " || ' ' || coalesce(x.change, '-') || ' ' || coalesce(x.low, '-')"
	                  " || ' ' || coalesce(x.score, '-')"
	                  " FROM history h JOIN history_change x ON x.history_id = h.id"
	                  " ORDER BY h.board, h.env_id, x.position",
	                  key);
	changes = bed_rows(s, query);
	free(query);
	query = xasprintf("%sh.points || ' ' || h.class || ' ' || coalesce(h.level, '-')"
	                  " FROM history h ORDER BY h.board, h.env_id",
	                  key);
	state = bed_rows(s, query);
	free(query);
	query = xasprintf("%sx.block || ' ' || x.points || ' ' || x.low || ' ' || x.high || ' '"
	                  " || x.total FROM history h JOIN history_block x ON x.history_id = h.id"
	                  " ORDER BY h.board, h.env_id, x.block",
	                  key);
	blocks = bed_rows(s, query);
	free(query);
	all = xasprintf("%s--\n%s--\n%s--\n%s", points ? points : "", changes ? changes : "",
	                state ? state : "", blocks ? blocks : "");
	free(blocks);
	free(points);
	free(changes);
	free(state);
	return all;
}
