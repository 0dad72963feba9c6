/* api_boots.c - one boot: its runs, environment, faults and console. */
#include "server/api_util.h"
#include "server/env_diff.h"

#define CONSOLE_MAX (16u << 20)

static enum err load_env(struct db *db, struct pool *p, struct boot *b, struct why *w)
{
	enum err e = b->env_id ? store_boot_env(db, b->env_id, p, &b->env, w) : OK;

	if (e == OK && b->traits_id)
		e = store_boot_env(db, b->traits_id, p, &b->traits, w);
	return e;
}

static enum err load(struct db *db, int64_t id, struct pool *p, struct boot *b, const char **name,
                     struct why *w)
{
	struct job j;
	enum err e = store_boot_get(db, id, p, b, w);

	if (e == OK)
		e = store_boot_faults(db, p, b, w);
	if (e == OK)
		e = store_boot_runs(db, p, b, w);
	if (e == OK)
		e = load_env(db, p, b, w);
	if (e == OK && b->job != NONE) {
		e = store_job_get(db, b->job, p, &j, w);
		*name = e == OK ? j.name : NULL;
	}
	return e;
}

/* How the kernel was built: of a prebuilt image nobody knows. */
static enum err load_built(struct db *db, struct pool *p, const struct boot *b, json_t **out,
                           struct why *w)
{
	struct kernel k = {0};
	json_t *o;
	enum err e = store_kernel_get(db, b->kernel, p, &k, w);

	if (e != OK)
		return e;
	o = json_object();
	json_put_str(o, "compiler", k.compiler);
	json_put_str(o, "linker", k.linker);
	json_put_str(o, "config_hash", k.config_hash);
	json_put_str(o, "section_hash", k.section_hash);
	*out = json_object();
	json_put(*out, "built", o);
	return OK;
}

/* ?against=ID: in what that boot's environment, traits and build are others. */
static enum err compare(struct db *db, int64_t id, struct pool *p, const struct boot *b,
                        const json_t *built, struct env_differences *d, struct why *w)
{
	json_t *others = NULL;
	char *one, *two;
	struct boot other = boot_blank();
	enum err e = store_boot_get(db, id, p, &other, w);

	if (e == OK)
		e = load_env(db, p, &other, w);
	if (e == OK)
		e = load_built(db, p, &other, &others, w);
	if (e != OK)
		return e;
	env_diff(p, b->env, other.env, d);
	env_diff(p, b->traits, other.traits, d);
	one = json_canonical(built);
	two = json_canonical(others);
	env_diff(p, one, two, d);
	free(one);
	free(two);
	json_decref(others);
	return OK;
}

enum err boot_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct env_differences d = {0};
	struct boot b = boot_blank();
	const char *name = NULL;
	json_t *built = NULL;
	int64_t against = NONE;
	enum err e = http_query_int(req, "against", 1, INT64_MAX, NONE, &against, w);

	if (e == OK)
		e = db_snapshot(db, w);
	if (e == OK) {
		e = load(db, req->id, p, &b, &name, w);
		if (e == OK)
			e = load_built(db, p, &b, &built, w);
		if (e == OK && against != NONE)
			e = compare(db, against, p, &b, built, &d, w);
		db_snapshot_end(db);
	}
	if (e == OK) {
		r->json = show_boot(&b, name);
		json_object_update(r->json, built);
		if (against != NONE)
			json_put(r->json, "differs", show_differences(&d));
	}
	json_decref(built);
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
