/* api_jobs.c - jobs for readers, and claiming and renewing for agents. */
#include "server/api_util.h"
#include "server/store_series.h"
#include "server/store_walk.h"
#include "server/submit.h"

#include "lib/hash.h"
#include "lib/log.h"

#include <string.h>

static const char *const job_states[] = {"queued", "leased", "done", "failed", "cancelled", NULL};

enum err jobs_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct job_list list = {0};
	const char *state = http_query(req, "state");
	json_t *a = json_array();
	int64_t limit, before, sub, now = clock_wall_ms();
	size_t i;
	enum err e = api_page(req, &limit, &before, w);

	if (e == OK)
		e = http_query_int(req, "submission", 1, INT64_MAX, NONE, &sub, w);
	for (i = 0; e == OK && state && job_states[i] && strcmp(job_states[i], state) != 0; i++)
		;
	if (e == OK && state && !job_states[i])
		e = err_set(w, ERR_INPUT,
		            "state: expected queued, leased, done, failed or cancelled");
	if (e == OK)
		e = store_job_list(db_reader(req->srv->store), sub, state, before, limit, p, &list,
		                   w);
	for (i = 0; e == OK && i < list.count; i++)
		json_array_append_new(a, show_job(&list.at[i], now));
	if (e == OK)
		r->json = api_list("jobs", a, limit, list.count ? list.at[list.count - 1].id : 0);
	else
		json_decref(a);
	pool_free(p);
	return e;
}

enum err job_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct job j;
	enum err e = store_job_get(db_reader(req->srv->store), req->id, p, &j, w);

	if (e == OK)
		r->json = show_job(&j, clock_wall_ms());
	pool_free(p);
	return e;
}

/* ---- claim */

struct claim_in {
	const char *agent;
	json_t *kinds, *boards;
};

static const struct json_field claim_fields[] = {
        {"agent", JSON_STR, offsetof(struct claim_in, agent), JSON_MUST, 1, 64, NULL},
        {"kinds", JSON_ARR, offsetof(struct claim_in, kinds), JSON_MUST, 1, 4, NULL},
        {"boards", JSON_ARR, offsetof(struct claim_in, boards), JSON_NULLOK, 0, CLAIM_BOARDS, NULL},
        {0},
};

static enum err read_kinds(json_t *kinds, struct claim *c, bool *boot, struct why *w)
{
	size_t i;

	for (i = 0; i < json_array_size(kinds); i++) {
		const char *kind = json_string_value(json_array_get(kinds, i));

		if (str_eq(kind, "resolve"))
			c->resolve = true;
		else if (str_eq(kind, "build"))
			c->build = true;
		else if (str_eq(kind, "walk"))
			c->walk = true;
		else if (str_eq(kind, "boot"))
			*boot = true;
		else
			return err_set(w, ERR_INPUT,
			               "kinds[%zu]: expected resolve, walk, build or boot", i);
	}
	return OK;
}

static enum err read_claim(struct db *db, struct pool *p, json_t *body, struct claim *c,
                           struct agent *agent, struct why *w)
{
	struct claim_in in = {0};
	bool boot = false;
	size_t i, o;
	enum err e = json_decode(body, "", claim_fields, &in, w);

	if (e == OK)
		e = read_kinds(in.kinds, c, &boot, w);
	if (e == OK)
		e = store_agent_get(db, in.agent, p, agent, w);
	if (e == ERR_NOT_FOUND)
		e = err_set(w, ERR_UNPROCESSABLE, "agent: \"%s\" has not announced itself",
		            in.agent);
	for (i = 0; e == OK && i < json_array_size(in.boards); i++) {
		const char *name = json_string_value(json_array_get(in.boards, i));

		for (o = 0; name && o < agent->boards.count; o++)
			if (strcmp(agent->boards.at[o], name) == 0)
				break;
		if (!name || o == agent->boards.count)
			return err_set(w, ERR_UNPROCESSABLE,
			               "boards[%zu]: agent \"%s\" has not announced %s%s%s", i,
			               in.agent, name ? "\"" : "this", name ? name : "",
			               name ? "\"" : "");
		if (boot)
			c->board[c->boards++] = agent->boards.at[o];
	}
	c->agent = agent->name;
	return e;
}

struct claiming {
	struct claim c;
	int64_t id;
};

static enum err claim(struct db *db, void *arg, struct why *w)
{
	struct claiming *x = arg;
	enum err e = store_job_claim(db, &x->c, &x->id, w);

	return e == OK ? store_agent_seen(db, x->c.agent, x->c.now_ms, w) : e;
}

static enum err seen(struct db *db, void *arg, struct why *w)
{
	const struct claiming *x = arg;

	return store_agent_seen(db, x->c.agent, x->c.now_ms, w);
}

/* ---- what a lease says */

/* A kernel that hangs costs this: ten minutes, or a minute a run. */
static int64_t boot_timeout_s(const char *plan)
{
	int64_t runs = 0, s;
	const char *at;

	for (at = plan; (at = strstr(at, " runs=")); at++)
		runs += strtoll(at + 6, NULL, 10);
	s = runs * 60;
	return s < 600 ? 600 : (s > 14400 ? 14400 : s);
}

static enum err build_spec(struct db *db, struct pool *p, const struct job *j, json_t *spec,
                           struct why *w)
{
	struct kernel k;
	const char *text = NULL, *bundle, *base;
	int64_t objects = NONE;
	json_t *config;
	enum err e = store_kernel_get(db, j->kernel, p, &k, w);

	if (e == OK)
		e = store_config_get(db, k.config_sha256, p, &text, w);
	if (e == OK)
		e = store_kernel_objects(db, k.config_sha256, &objects, w);
	if (e != OK)
		return e;
	config = json_object();
	json_put_str(config, "sha256", k.config_sha256);
	json_put_str(config, "name", k.config_name);
	json_put_bool(config, "whole", k.config_whole);
	json_put_str(config, "text", text);
	json_put_str(spec, "tree", j->tree);
	json_put_str(spec, "ref", j->ref);
	json_put_str(spec, "commit", k.commit);
	json_put_str(spec, "name", j->name);
	json_put_str(spec, "toolchain", j->toolchain);
	json_put(spec, "config", config);
	show_int(spec, "objects_before", objects);
	json_put_int(spec, "layout", k.layout);
	e = store_series_bundle(db, j->submission, k.commit, p, &bundle, &base, w);
	if (e == OK && bundle) {
		json_put_str(spec, "series", bundle);
		json_put_str(spec, "base", base);
	}
	return e;
}

static enum err resolve_spec(struct db *db, struct pool *p, const struct job *j, json_t *spec,
                             struct why *w)
{
	struct series s;
	enum err e = store_series_get(db, j->submission, p, &s, w);

	json_put_str(spec, "tree", j->tree);
	json_put_str(spec, "ref", j->ref);
	if (j->base_of)
		json_put_str(spec, "base_of", j->base_of);
	if (e == OK && s.is) {
		json_t *o = json_object();

		json_put_str(o, "bundle", s.bundle);
		json_put_str(o, "patches", s.bundle ? NULL : s.patches);
		json_put(spec, "series", o);
	}
	return e;
}

static enum err walk_spec(struct db *db, struct pool *p, const struct job *j, json_t *spec,
                          struct why *w)
{
	struct walk k;
	enum err e = store_walk_of_job(db, j->id, p, &k, w);

	json_put_str(spec, "tree", j->tree);
	json_put_str(spec, "ref", j->ref);
	json_put_str(spec, "since", k.since);
	json_put_int(spec, "limit", WALK_COMMITS_MAX);
	return e;
}

static enum err boot_spec(struct db *db, struct pool *p, const struct job *j, json_t *spec,
                          struct why *w)
{
	struct kernel k;
	enum err e = store_kernel_get(db, j->kernel, p, &k, w);

	if (e != OK)
		return e;
	json_put_int(spec, "kernel", j->kernel);
	json_put_str(spec, "name", j->name);
	json_put_str(spec, "board", j->board);
	json_put_str(spec, "image", k.image);
	json_put(spec, "build_ids", show_words(k.build_ids));
	/* The boot that proves the board shows where its instructions are, too. */
	json_put_str(spec, "vmlinux", j->replicate ? k.vmlinux : NULL);
	json_put_str(spec, "nonce", j->nonce);
	json_put_str(spec, "plan", j->plan);
	json_put_int(spec, "phase", j->phase);
	json_put_int(spec, "phase_pages", j->phase_pages);
	json_put_int(spec, "replicate", j->replicate);
	json_put_str(spec, "metric", j->metric);
	json_put_int(spec, "memory_bytes", j->memory_bytes);
	json_put_bool(spec, "health", job_is_check(j));
	json_put_bool(spec, "files", str_eq(j->purpose, "validate"));
	json_put_int(spec, "timeout_s", boot_timeout_s(j->plan));
	return OK;
}

static enum err lease_json(struct db *db, struct pool *p, int64_t id, int64_t lease_s, json_t **out,
                           struct why *w)
{
	json_t *o = json_object(), *spec = json_object();
	struct job j;
	enum err e = store_job_get(db, id, p, &j, w);

	if (e == OK && str_eq(j.kind, "resolve"))
		e = resolve_spec(db, p, &j, spec, w);
	else if (e == OK && str_eq(j.kind, "walk"))
		e = walk_spec(db, p, &j, spec, w);
	else if (e == OK)
		e = str_eq(j.kind, "build") ? build_spec(db, p, &j, spec, w)
		                            : boot_spec(db, p, &j, spec, w);
	if (e != OK) {
		json_decref(o);
		json_decref(spec);
		return e;
	}
	json_put_int(o, "id", id);
	json_put_str(o, "kind", j.kind);
	json_put_int(o, "attempt", j.attempt);
	json_put_int(o, "lease_s", lease_s);
	json_put_str(o, "domain", j.domain);
	json_put(o, "spec", spec);
	*out = o;
	log_info("job.claimed", "job", log_i(id), "kind", j.kind, "agent", j.agent, "attempt",
	         log_i(j.attempt), "board", log_s(j.board), NULL);
	return OK;
}

/* An agent that finds nothing is written down as seen only so often. */
#define SEEN_MS 30000

enum err job_claim(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct claiming x = {.id = NONE};
	struct agent agent = {0};
	json_t *body = NULL;
	char nonce[17];
	bool is = false;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = read_claim(db, p, body, &x.c, &agent, w);
	random_hex(nonce, 8);
	x.c.nonce = nonce;
	x.c.now_ms = clock_wall_ms();
	x.c.lease_until_ms = x.c.now_ms + req->srv->conf.lease_s * 1000;
	if (e == OK)
		e = store_job_claimable(db, &x.c, &is, w);
	if (e == OK && is)
		e = db_write(req->srv->store, claim, &x, w);
	else if (e == OK && x.c.now_ms - agent.seen_ms > SEEN_MS)
		e = db_write(req->srv->store, seen, &x, w);
	if (e == OK && x.id != NONE)
		e = lease_json(db, p, x.id, req->srv->conf.lease_s, &r->json, w);
	else if (e == OK)
		r->status = 204;
	json_decref(body);
	pool_free(p);
	return e;
}

/* ---- renew */

struct renewing {
	int64_t job, attempt, until_ms;
	json_t *progress;
	const char *step;
	int64_t done, total;
	double elapsed_s;
};

static const struct json_field renew_fields[] = {
        {"attempt", JSON_INT, offsetof(struct renewing, attempt), JSON_MUST, 1, INT64_MAX, NULL},
        {"progress", JSON_OBJ, offsetof(struct renewing, progress), JSON_NULLOK, 0, 0, NULL},
        {0},
};

static const struct json_field progress_fields[] = {
        {"step", JSON_STR, offsetof(struct renewing, step), JSON_NULLOK, 0, 200, NULL},
        {"done", JSON_INT, offsetof(struct renewing, done), JSON_NULLOK, 0, INT64_MAX, NULL},
        {"total", JSON_INT, offsetof(struct renewing, total), JSON_NULLOK, 0, INT64_MAX, NULL},
        {"elapsed_s", JSON_NUM, offsetof(struct renewing, elapsed_s), JSON_NULLOK, 0, 0, NULL},
        {0},
};

static enum err renew(struct db *db, void *arg, struct why *w)
{
	const struct renewing *x = arg;

	return store_job_renew(db, x->job, x->attempt, x->until_ms, x->step, x->done, x->total, w);
}

enum err job_lease(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct renewing x = {.job = req->id, .done = NONE, .total = NONE};
	struct job j;
	json_t *body = NULL;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = json_decode(body, "", renew_fields, &x, w);
	if (e == OK && x.progress)
		e = json_decode(x.progress, "progress", progress_fields, &x, w);
	if (e == OK)
		e = store_job_get(db_reader(req->srv->store), x.job, p, &j, w);
	x.until_ms = clock_wall_ms() + req->srv->conf.lease_s * 1000;
	if (e == OK)
		e = db_write(req->srv->store, renew, &x, w);
	if (e == OK)
		e = store_job_get(db_reader(req->srv->store), x.job, p, &j, w);
	if (e == OK) {
		r->json = json_object();
		json_put_bool(r->json, "cancel", str_eq(j.state, "cancelled"));
		json_put_int(r->json, "lease_s", req->srv->conf.lease_s);
	}
	json_decref(body);
	pool_free(p);
	return e;
}
