/* store_agent.c - SQL for agents and what they announce. */
#include "server/store_board.h"

#include <string.h>

static enum err put_agent(struct db *db, const struct agent *a, int64_t now_ms, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "INSERT INTO agent (name, version, builds, bench, seen_ms)"
	                       " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET"
	                       " version = ?2, builds = ?3, bench = ?4, seen_ms = ?5");

	db_bind_text(q, 1, a->name);
	db_bind_text(q, 2, a->version);
	db_bind_int(q, 3, a->builds);
	db_bind_text(q, 4, a->bench);
	db_bind_int(q, 5, now_ms);
	return db_run(q, w);
}

static enum err put_lists(struct db *db, const struct agent *a, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "DELETE FROM agent_toolchain WHERE agent = ?1");
	enum err e;
	size_t i;

	db_bind_text(q, 1, a->name);
	e = db_run(q, w);
	for (i = 0; e == OK && i < a->toolchains; i++) {
		q = db_prepare(db, "INSERT INTO agent_toolchain (agent, name, compiler)"
		                   " VALUES (?1, ?2, ?3)");
		db_bind_text(q, 1, a->name);
		db_bind_text(q, 2, a->toolchain[i].name);
		db_bind_text(q, 3, a->toolchain[i].compiler);
		e = db_run(q, w);
	}
	if (e != OK)
		return e;
	q = db_prepare(db, "DELETE FROM agent_tree WHERE agent = ?1");
	db_bind_text(q, 1, a->name);
	e = db_run(q, w);
	for (i = 0; e == OK && i < a->trees.count; i++) {
		q = db_prepare(db, "INSERT INTO agent_tree (agent, prefix) VALUES (?1, ?2)"
		                   " ON CONFLICT DO NOTHING");
		db_bind_text(q, 1, a->name);
		db_bind_text(q, 2, a->trees.at[i]);
		e = db_run(q, w);
	}
	return e;
}

static enum err put_board(struct db *db, const char *agent, const struct board *b, int64_t now_ms,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT agent, identity FROM board WHERE name = ?1");
	bool known, same;
	enum err e;

	db_bind_text(q, 1, b->name);
	e = db_step(q, w);
	known = e == OK && db_has_row(q);
	if (known && strcmp(db_text(q, 0), agent) != 0)
		e = err_set(w, ERR_CONFLICT, "board \"%s\" belongs to agent \"%s\"", b->name,
		            db_text(q, 0));
	same = known && strcmp(db_text(q, 1), b->identity) == 0;
	db_done(q);
	if (e != OK)
		return e;
	q = db_prepare(
	        db, "INSERT INTO board (name, agent, kind, profile, labels, metric, deterministic,"
	            " emulated, untrusted, capabilities, description, identity, offered, state)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, 'active')"
	            " ON CONFLICT (name) DO UPDATE SET kind = ?3, profile = ?4, labels = ?5,"
	            " metric = ?6, deterministic = ?7, emulated = ?8, untrusted = ?9,"
	            " capabilities = ?10, description = ?11, identity = ?12, offered = 1");
	db_bind_text(q, 1, b->name);
	db_bind_text(q, 2, agent);
	db_bind_text(q, 3, b->kind);
	db_bind_text(q, 4, b->profile);
	db_bind_text(q, 5, b->labels);
	db_bind_text(q, 6, b->metric);
	db_bind_int(q, 7, b->deterministic);
	db_bind_int(q, 8, b->emulated);
	db_bind_int(q, 9, b->untrusted);
	db_bind_text(q, 10, b->capabilities);
	db_bind_text(q, 11, b->description);
	db_bind_text(q, 12, b->identity);
	e = db_run(q, w);
	if (e == OK && !same)
		e = store_board_event(db, b->name, "announced", b->description, agent, NONE, NONE,
		                      now_ms, w);
	return e;
}

enum err store_agent_put(struct db *db, const struct agent *a, const struct board *boards,
                         size_t count, int64_t now_ms, struct why *w)
{
	struct db_stmt *q;
	enum err e;
	size_t i;

	e = put_agent(db, a, now_ms, w);
	if (e == OK)
		e = put_lists(db, a, w);
	if (e != OK)
		return e;
	q = db_prepare(db, "UPDATE board SET offered = 0 WHERE agent = ?1");
	db_bind_text(q, 1, a->name);
	e = db_run(q, w);
	for (i = 0; e == OK && i < count; i++)
		e = put_board(db, a->name, &boards[i], now_ms, w);
	return e;
}

static enum err fill_lists(struct db *db, struct agent *a, struct pool *p, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT name, compiler FROM agent_toolchain WHERE agent = ?1 ORDER BY name");
	enum err e;

	db_bind_text(q, 1, a->name);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct toolchain *t =
		        pool_push(p, (void **)&a->toolchain, &a->toolchains, sizeof(*a->toolchain));

		t->name = col_str(q, 0, p);
		t->compiler = col_str(q, 1, p);
	}
	db_done(q);
	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT prefix FROM agent_tree WHERE agent = ?1 ORDER BY prefix");
	db_bind_text(q, 1, a->name);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(const char **)pool_push(p, (void **)&a->trees.at, &a->trees.count,
		                          sizeof(*a->trees.at)) = col_str(q, 0, p);
	db_done(q);
	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT name FROM board WHERE agent = ?1 AND offered = 1 ORDER BY name");
	db_bind_text(q, 1, a->name);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(const char **)pool_push(p, (void **)&a->boards.at, &a->boards.count,
		                          sizeof(*a->boards.at)) = col_str(q, 0, p);
	db_done(q);
	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT id FROM job WHERE agent = ?1 AND state = 'leased' ORDER BY id");
	db_bind_text(q, 1, a->name);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(int64_t *)pool_push(p, (void **)&a->jobs.at, &a->jobs.count,
		                      sizeof(*a->jobs.at)) = db_int(q, 0);
	db_done(q);
	return e;
}

static void agent_row(struct db_stmt *q, struct pool *p, struct agent *a)
{
	a->name = col_str(q, 0, p);
	a->version = col_str(q, 1, p);
	a->builds = db_int(q, 2) != 0;
	a->bench = col_str(q, 3, p);
	a->seen_ms = db_int(q, 4);
}

enum err store_agent_get(struct db *db, const char *name, struct pool *p, struct agent *out,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT name, version, builds, bench, seen_ms FROM agent WHERE name = ?1");
	enum err e;

	db_bind_text(q, 1, name);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		agent_row(q, p, out);
	else if (e == OK)
		e = err_set(w, ERR_NOT_FOUND, "there is no agent \"%s\"", name);
	db_done(q);
	return e == OK ? fill_lists(db, out, p, w) : e;
}

enum err store_agent_list(struct db *db, struct pool *p, struct agent_list *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT name, version, builds, bench, seen_ms FROM agent ORDER BY name");
	enum err e;
	size_t i;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		agent_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	for (i = 0; e == OK && i < out->count; i++)
		e = fill_lists(db, &out->at[i], p, w);
	return e;
}

enum err store_agent_seen(struct db *db, const char *name, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE agent SET seen_ms = ?2 WHERE name = ?1");

	db_bind_text(q, 1, name);
	db_bind_int(q, 2, now_ms);
	return db_run(q, w);
}

enum err store_toolchain_compiler(struct db *db, const char *toolchain, struct pool *p,
                                  const char **compiler, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT t.compiler FROM agent_toolchain t JOIN agent a ON a.name = t.agent"
	            " WHERE t.name = ?1 AND a.builds = 1 ORDER BY a.seen_ms DESC, a.name LIMIT 1");
	enum err e;

	*compiler = NULL;
	db_bind_text(q, 1, toolchain);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*compiler = col_str(q, 0, p);
	db_done(q);
	return e;
}

enum err store_tree_offered(struct db *db, const char *tree, bool *offered, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT 1 FROM agent_tree t JOIN agent a ON a.name = t.agent"
	                       " WHERE a.builds = 1 AND substr(?1, 1, length(t.prefix)) = t.prefix"
	                       " LIMIT 1");
	enum err e;

	db_bind_text(q, 1, tree);
	e = db_step(q, w);
	*offered = e == OK && db_has_row(q);
	db_done(q);
	return e;
}
