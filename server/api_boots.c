/* api_boots.c - one boot: its runs, environment, faults and console. */
#include "server/api_util.h"

#define CONSOLE_MAX (16u << 20)

enum err boot_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct boot b = {0};
	struct job j;
	const char *env = NULL, *name = NULL;
	enum err e = db_snapshot(db, w);

	if (e == OK) {
		e = store_boot_get(db, req->id, p, &b, w);
		if (e == OK)
			e = store_boot_faults(db, p, &b, w);
		if (e == OK)
			e = store_boot_runs(db, p, &b, w);
		if (e == OK && b.env_id)
			e = store_boot_env(db, b.env_id, p, &env, w);
		if (e == OK && b.job != NONE) {
			e = store_job_get(db, b.job, p, &j, w);
			name = e == OK ? j.name : NULL;
		}
		db_snapshot_end(db);
	}
	if (e == OK)
		r->json = show_boot(&b, name, env);
	pool_free(p);
	return e;
}

static enum err unpack_console(const struct http_req *req, const char *sha256, struct buf *out,
                               struct why *w)
{
	struct buf plain;
	enum err e;

	buf_init(&plain, CONSOLE_MAX);
	e = api_unpack(req, sha256, "console", CONSOLE_MAX, &plain, w);
	if (e == OK)
		utf8_scrub(out, plain.data, plain.len);
	buf_release(&plain);
	return e;
}

enum err boot_console(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct boot b;
	enum err e = store_boot_get(db_reader(req->srv->store), req->id, p, &b, w);

	if (e == OK && !b.console)
		e = err_set(w, ERR_NOT_FOUND, "boot %lld has no console", (long long)b.id);
	if (e == OK) {
		/* A byte that is not UTF-8 grows to three. */
		buf_init(&r->body, 3 * CONSOLE_MAX);
		r->type = "text/plain; charset=utf-8";
		e = unpack_console(req, b.console, &r->body, w);
	}
	pool_free(p);
	return e;
}
