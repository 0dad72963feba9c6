/* api_profiles.c - instructions by function, as a boot with the plugin kept them. */
#include "server/api_util.h"

#include "lib/json.h"
#include "lib/profile.h"

#define PACKED_MAX  (8u << 20)
#define PROFILE_MAX (64u << 20) /* a thousand runs of some 500 functions */

/* A boot's artifact; it was the agent's word, so it is read like any input. */
static enum err load(const struct http_req *req, const char *sha256, struct profiles *out,
                     struct why *w)
{
	struct buf plain;
	enum err e;

	buf_init(&plain, PROFILE_MAX);
	e = api_unpack(req, sha256, "profile", PACKED_MAX, &plain, w);
	if (e == OK)
		e = profiles_read(plain.data, plain.len, out, w);
	if (e == ERR_INPUT)
		e = err_at(w, ERR_UNPROCESSABLE, "profile %.12s", sha256);
	buf_release(&plain);
	return e;
}

static json_t *show_rows(const struct profile *p)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < p->rows; i++) {
		json_t *o = json_object();

		json_put_str(o, "function", p->row[i].function);
		json_put_real(o, "instructions", p->row[i].instructions);
		json_put_real(o, "calls", p->row[i].calls);
		json_array_append_new(rows, o);
	}
	return rows;
}

static json_t *show(const struct profile_row_of *r, const struct profile *p,
                    const struct sub_kernels *k)
{
	json_t *o = json_object();

	json_put_str(o, "kernel", api_kernel_name(k, r->kernel));
	json_put_str(o, "board", r->board);
	json_put_int(o, "boot", r->boot);
	show_int(o, "phase", r->phase);
	show_int(o, "phase_pages", r->phase_pages);
	json_put_int(o, "run", r->number);
	json_put_real(o, "mean", r->mean);
	json_put_int(o, "windows", (int64_t)p->windows);
	json_put_int(o, "switches", (int64_t)p->switches);
	json_put_real(o, "tlbi", p->tlbi);
	json_put_real(o, "dsb", p->dsb);
	json_put(o, "rows", show_rows(p));
	return o;
}

static enum err show_all(const struct http_req *req, const struct profile_rows_of *rows,
                         const struct sub_kernels *k, json_t *list, struct why *w)
{
	struct profiles all = {0};
	const char *loaded = NULL;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < rows->count; i++) {
		const struct profile_row_of *r = &rows->at[i];

		if (!str_eq(loaded, r->profile)) {
			profiles_release(&all);
			e = load(req, r->profile, &all, w);
			loaded = r->profile;
		}
		if (e == OK && (size_t)r->at < all.runs && all.run[r->at].windows)
			json_array_append_new(list, show(r, &all.run[r->at], k));
	}
	profiles_release(&all);
	return e;
}

enum err submission_profiles(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct profile_rows_of rows = {0};
	struct sub_kernels k = {0};
	json_t *list = json_array();
	char canon[CASE_TEXT];
	struct sub s;
	int64_t id;
	enum err e = api_submission_id(req, &id, w);

	if (e == OK)
		e = api_case(req, canon, w);
	if (e == OK)
		e = store_sub_get(db, id, p, &s, w);
	if (e == OK)
		e = store_sub_kernels(db, id, p, &k, w);
	if (e == OK)
		e = store_run_profiles(db, id, canon, p, &rows, w);
	if (e == OK)
		e = show_all(req, &rows, &k, list, w);
	if (e == OK) {
		r->json = json_object();
		json_put(r->json, "profiles", list);
	} else {
		json_decref(list);
	}
	pool_free(p);
	return e;
}
