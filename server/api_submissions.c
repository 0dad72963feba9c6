/* api_submissions.c - what was asked for, and how far it is. */
#include "server/api_util.h"
#include "server/dry_run.h"
#include "server/quota.h"
#include "server/samples.h"
#include "server/schedule.h"
#include "server/submit.h"
#include "server/submit_more.h"
#include "server/work.h"

#include "lib/case.h"
#include "lib/hash.h"
#include "lib/log.h"

#include <string.h>

static enum err show_one(struct db *db, int64_t id, bool single, json_t **out, struct why *w)
{
	struct pool *p = pool_new();
	struct sub s;
	enum err e = store_sub_get(db, id, p, &s, w);

	if (e == OK)
		e = show_submission(db, p, &s, single, out, w);
	pool_free(p);
	return e;
}

enum err submissions_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct sub_list subs = {0};
	json_t *list = json_array(), *o;
	int64_t limit, before;
	size_t i;
	enum err e = api_page(req, &limit, &before, w);

	if (e == OK)
		e = db_snapshot(db, w);
	if (e == OK) {
		e = store_sub_list(db, before, limit, p, &subs, w);
		for (i = 0; e == OK && i < subs.count; i++) {
			e = show_submission(db, p, &subs.at[i], false, &o, w);
			if (e == OK)
				json_array_append_new(list, o);
		}
		db_snapshot_end(db);
	}
	if (e == OK)
		r->json = api_list("submissions", list, limit,
		                   subs.count ? subs.at[subs.count - 1].id : 0);
	else
		json_decref(list);
	pool_free(p);
	return e;
}

/* A key that this submitter used before: the same submission, or a conflict. */
static enum err repeated(struct http_req *req, struct pool *p, const char *key, const json_t *body,
                         int64_t *id, struct why *w)
{
	char *canon = json_canonical(body), hex[SHA256_HEX];
	const char *hash = NULL;
	enum err e;

	hash_block(canon, strlen(canon), hex);
	free(canon);
	*id = NONE;
	if (!key)
		return OK;
	e = store_sub_by_key(db_reader(req->srv->store), api_who(req), key, p, id, &hash, w);
	if (e == OK && *id != NONE && strcmp(hash, hex) != 0)
		e = err_set(w, ERR_CONFLICT,
		            "Idempotency-Key \"%s\" came with other content as submission %lld",
		            key, (long long)*id);
	return e;
}

struct making {
	struct wanted *x;
	struct quota_ask ask;
};

/* The quota is asked in the transaction that uses it. */
static enum err make(struct db *db, void *arg, struct why *w)
{
	struct making *m = arg;
	enum err e = quota_check(db, &m->ask, w);

	return e == OK ? submit_store(db, m->x, w) : e;
}

/* What it may use beside what is used already. */
static struct making making_of(const struct http_req *req, struct wanted *x)
{
	struct making m = {.x = x,
	                   .ask = {.label = req->token_label,
	                           .token = req->token_id,
	                           .exempt = req->role == ROLE_ADMIN,
	                           .conf = &req->srv->conf,
	                           .now_ms = x->s.created_ms}};

	m.ask.more[QUOTA_SUBMISSIONS] = 1;
	m.ask.more[QUOTA_BOOTS] = x->s.asked_boots;
	m.ask.more[QUOTA_JOBS] = x->s.asked_boots;
	for (size_t i = 0; i < x->kernels; i++)
		m.ask.more[QUOTA_JOBS] += x->kernel[i].k.tree != NULL;
	return m;
}

/* Stores what was read. */
static enum err make_within_quota(struct http_req *req, struct wanted *x, struct why *w)
{
	struct making m = making_of(req, x);
	enum err e;

	e = db_write(req->srv->store, make, &m, w);
	req->retry_after_s = m.ask.retry_after_s;
	return e;
}

/* Everything that would be checked is, and nothing is stored. */
static enum err only_try(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct submitter who = {.srv = req->srv,
	                        .db = db,
	                        .label = req->token_label,
	                        .admin = req->role == ROLE_ADMIN,
	                        .dry = true};
	struct pool *p = pool_new();
	struct wanted x = {0};
	struct making m;
	struct dry_run d;
	json_t *body = NULL;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = db_snapshot(db, w);
	if (e == OK) {
		e = submit_read(&who, p, body, &x, w);
		if (e == OK) {
			m = making_of(req, &x);
			e = quota_check(db, &m.ask, w);
			req->retry_after_s = m.ask.retry_after_s;
		}
		if (e == OK)
			e = dry_run(db, p, &x, &d, w);
		db_snapshot_end(db);
	}
	if (e == OK)
		r->json = show_dry_run(&x, &d, body);
	json_decref(body);
	pool_free(p);
	return e;
}

static enum err is_dry_run(const struct http_req *req, bool *is, struct why *w)
{
	const char *told = http_query(req, "dry_run");

	*is = str_eq(told, "1") || str_eq(told, "true");
	return !told || *is || str_eq(told, "0") || str_eq(told, "false")
	               ? OK
	               : err_set(w, ERR_INPUT, "dry_run: expected 1 or 0, got \"%.32s\"", told);
}

enum err submission_make(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct wanted x = {0};
	const char *key = NULL;
	json_t *body = NULL;
	bool dry = false;
	enum err e = is_dry_run(req, &dry, w);

	if (e == OK && dry) {
		pool_free(p);
		return only_try(req, r, w);
	}
	if (e == OK)
		e = api_key(req, &key, w);
	if (e == OK)
		e = http_json(req, &body, w);
	if (e == OK)
		e = repeated(req, p, key, body, &x.id, w);
	if (e == OK && x.id == NONE) {
		struct submitter who = {.srv = req->srv,
		                        .db = db_reader(req->srv->store),
		                        .label = req->token_label,
		                        .admin = req->role == ROLE_ADMIN};

		x.s.idem_key = key;
		e = submit_read(&who, p, body, &x, w);
		if (e == OK)
			e = make_within_quota(req, &x, w);
		/* Somebody was faster with the same key. */
		if (e == ERR_CONFLICT && key)
			e = repeated(req, p, key, body, &x.id, w);
		else if (e == OK)
			r->status = 201;
		if (r->status == 201) {
			log_info("submission.made", "submission", log_i(x.id), "by", api_who(req),
			         "title", x.s.title, NULL);
			work_poke(req->srv);
		}
	}
	if (e == OK)
		e = show_one(db_reader(req->srv->store), x.id, true, &r->json, w);
	json_decref(body);
	pool_free(p);
	return e;
}

enum err submission_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	int64_t id;
	enum err e = api_submission_id(req, &id, w);

	if (e == OK)
		e = db_snapshot(db, w);
	if (e == OK) {
		e = show_one(db, id, true, &r->json, w);
		db_snapshot_end(db);
	}
	return e;
}

struct cancelling {
	int64_t id, now_ms;
};

static enum err cancel(struct db *db, void *arg, struct why *w)
{
	const struct cancelling *c = arg;

	return schedule_cancel(db, c->id, c->now_ms, w);
}

enum err submission_cancel(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct cancelling c = {.id = req->id, .now_ms = clock_wall_ms()};
	enum err e = db_write(req->srv->store, cancel, &c, w);

	if (e == OK) {
		log_info("submission.cancelled", "submission", log_i(c.id), "by", api_who(req),
		         NULL);
		e = show_one(db_reader(req->srv->store), c.id, true, &r->json, w);
	}
	return e;
}

enum err submission_more(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct more_asked m = {.sub = req->id,
	                       .now_ms = clock_wall_ms(),
	                       .by = req->token_label,
	                       .admin = req->role == ROLE_ADMIN};
	json_t *body = NULL, *keyed;
	char *canon, hex[SHA256_HEX];
	enum err e = http_json(req, &body, w);

	m.ask = (struct quota_ask){.label = req->token_label,
	                           .token = req->token_id,
	                           .exempt = m.admin,
	                           .conf = &req->srv->conf,
	                           .now_ms = m.now_ms};
	if (e == OK)
		e = more_read(body, &m, w);
	if (e == OK && m.cases)
		e = api_key(req, &m.key, w);
	if (e == OK) {
		/* One key is of one submission's part. */
		keyed = json_pack("{s:I,s:O}", "of", (json_int_t)m.sub, "asked", body);
		canon = json_canonical(keyed);
		hash_block(canon, strlen(canon), hex);
		free(canon);
		json_decref(keyed);
		m.content_hash = hex;
		e = db_write(req->srv->store, more_store, &m, w);
	}
	req->retry_after_s = m.ask.retry_after_s;
	if (e == OK) {
		log_info(m.cases ? "submission.part" : "submission.more", "submission",
		         log_i(m.sub), "by", api_who(req), m.cases ? "part" : "boots",
		         log_i(m.cases ? m.made : m.boots), NULL);
		work_poke(req->srv);
		e = show_one(db_reader(req->srv->store), m.made, true, &r->json, w);
		r->status = m.is_new ? 201 : r->status;
	}
	json_decref(body);
	return e;
}

/* ---- samples */

static enum err sample_json(struct pool *p, const struct sample_row *s, const struct sub_kernels *k,
                            json_t *list, struct why *w)
{
	json_t *o, *samples;
	int64_t *v;
	size_t n, i;
	enum err e = samples_unpack(p, s->samples, s->samples_len, &v, &n, w);

	if (e != OK)
		return e;
	o = json_object();
	samples = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(samples, json_integer(v[i]));
	json_put_str(o, "kernel", api_kernel_name(k, s->kernel));
	json_put_str(o, "board", s->board);
	json_put_int(o, "boot", s->boot);
	show_int(o, "phase", s->phase);
	json_put_int(o, "run", s->number);
	json_put_bool(o, "valid", s->boot_valid && str_eq(s->state, "valid"));
	json_put_int(o, "warmup", s->warmup);
	json_put_int(o, "windows", s->windows);
	json_put(o, "samples", samples);
	json_array_append_new(list, o);
	return OK;
}

enum err submission_samples(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct sample_rows rows = {0};
	struct sub_kernels k = {0};
	struct sub s;
	char canon[CASE_TEXT];
	json_t *list = json_array();
	int64_t id;
	size_t i;
	enum err e = api_submission_id(req, &id, w);

	if (e == OK)
		e = api_case(req, canon, w);
	if (e == OK)
		e = store_sub_get(db, id, p, &s, w);
	if (e == OK)
		e = store_sub_kernels(db, id, p, &k, w);
	if (e == OK)
		e = store_run_samples(db, id, canon, http_query(req, "board"),
		                      http_query(req, "metric"), p, &rows, w);
	for (i = 0; e == OK && i < rows.count; i++)
		e = sample_json(p, &rows.at[i], &k, list, w);
	if (e == OK) {
		r->json = json_object();
		json_put(r->json, "rows", list);
	} else {
		json_decref(list);
	}
	pool_free(p);
	return e;
}
