/* api_kernels.c - kernels, the configurations and cases that may be asked for. */
#include "server/api_util.h"
#include "server/config_sets.h"

#include "lib/case.h"

enum err kernels_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct kernel_list list = {0};
	json_t *a = json_array();
	int64_t limit, before;
	size_t i;
	enum err e = api_page(req, &limit, &before, w);

	if (e == OK)
		e = store_kernel_list(db_reader(req->srv->store), before, limit, p, &list, w);
	for (i = 0; e == OK && i < list.count; i++)
		json_array_append_new(a, show_kernel(&list.at[i]));
	if (e == OK)
		r->json =
		        api_list("kernels", a, limit, list.count ? list.at[list.count - 1].id : 0);
	else
		json_decref(a);
	pool_free(p);
	return e;
}

enum err kernel_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct kernel k;
	enum err e = store_kernel_get(db_reader(req->srv->store), req->id, p, &k, w);

	if (e == OK)
		r->json = show_kernel(&k);
	pool_free(p);
	return e;
}

enum err configs_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct config_sets sets;
	json_t *a = json_array();
	size_t i;
	enum err e = config_sets_load(p, req->srv->conf.kernel_dir, &sets, w);

	for (i = 0; e == OK && i < sets.count; i++) {
		json_t *o;
		const char *text;

		e = config_text(p, &sets, sets.at[i].name, &text, w);
		if (e != OK)
			break;
		o = json_object();
		json_put_str(o, "name", sets.at[i].name);
		json_put_str(o, "help", sets.at[i].help);
		json_put_str(o, "text", text);
		json_array_append_new(a, o);
	}
	if (e == OK) {
		r->json = json_object();
		json_put(r->json, "configs", a);
	} else {
		json_decref(a);
	}
	pool_free(p);
	return e;
}

static const char *const units[] = {
        [UNIT_NUMBER] = "number", [UNIT_BYTES] = "bytes", [UNIT_WORD] = "word"};

/* The names of the parameters whose bits are set. */
static json_t *param_names(unsigned int bits)
{
	const struct case_param_def *params = case_param_table();
	json_t *a = json_array();
	int i;

	for (i = 0; i < PARAM_COUNT; i++)
		if (bits & (1u << i))
			json_array_append_new(a, json_string(params[i].name));
	return a;
}

static json_t *bench_json(const struct case_bench_def *b)
{
	json_t *o = json_object(), *modes = json_array();
	size_t i;

	for (i = 0; b->modes && b->modes[i]; i++)
		json_array_append_new(modes, json_string(b->modes[i]));
	json_put_str(o, "name", b->name);
	json_put_str(o, "help", b->help);
	json_put(o, "takes", param_names(b->takes));
	json_put(o, "must", param_names(b->must));
	json_put(o, "one_of", param_names(b->one_of));
	json_put(o, "modes", modes);
	json_put_int(o, "size", b->size);
	json_put_int(o, "size_min", b->size_min);
	json_put_int(o, "size_step", b->size_step);
	return o;
}

enum err cases_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	const struct case_param_def *params = case_param_table();
	size_t n, i;
	const struct case_bench_def *bench = case_bench_table(&n);
	json_t *benches = json_array(), *list = json_array();

	(void)req;
	(void)w;
	for (i = 0; i < n; i++)
		json_array_append_new(benches, bench_json(&bench[i]));
	for (i = 0; i < PARAM_COUNT; i++) {
		json_t *o = json_object(), *only = json_array(), *words = json_array();
		size_t x;

		for (x = 0; x < params[i].only_count; x++)
			json_array_append_new(only, json_integer(params[i].only[x]));
		for (x = 0; params[i].words && params[i].words[x]; x++)
			json_array_append_new(words, json_string(params[i].words[x]));
		json_put_str(o, "name", params[i].name);
		json_put_str(o, "unit", units[params[i].unit]);
		json_put_int(o, "min", params[i].min);
		json_put_int(o, "max", params[i].max);
		json_put_int(o, "step", params[i].step);
		json_put(o, "only", only);
		json_put(o, "words", words);
		json_put_str(o, "help", params[i].help);
		json_array_append_new(list, o);
	}
	r->json = json_object();
	json_put(r->json, "benchmarks", benches);
	json_put(r->json, "parameters", list);
	return OK;
}
