/* submit_store.c - a submission that was read becomes rows. */
#include "server/submit.h"

#include "server/schedule.h"

static enum err store_series(struct db *db, const struct wanted *x, struct why *w)
{
	const struct series *s = &x->series;
	enum err e = OK;

	if (!s->is)
		return OK;
	if (s->tip_config)
		e = store_config_put(db, s->tip_config, x->tip_text, w);
	if (e == OK && s->check_config)
		e = store_config_put(db, s->check_config, x->check_text, w);
	return e == OK ? store_series_add(db, x->id, s, w) : e;
}

static enum err store_kernel(struct db *db, const struct wanted *x, struct wanted_kernel *k,
                             struct why *w)
{
	enum err e = OK;

	if (k->config_text)
		e = store_config_put(db, k->k.config_sha256, k->config_text, w);
	if (e == OK && k->k.image) {
		e = store_kernel_by_key(db, k->key, &k->k.kernel_id, w);
		if (e == OK && k->k.kernel_id == NONE)
			e = store_kernel_add(db, &k->image, &k->k.kernel_id, w);
	}
	return e == OK ? store_sub_kernel_add(db, x->id, &k->k, w) : e;
}

enum err submit_store(struct db *db, void *arg, struct why *w)
{
	struct wanted *x = arg;
	int64_t case_id;
	size_t i;
	enum err e;

	e = store_sub_add(db, &x->s, &x->id, w);
	if (e == OK)
		e = store_series(db, x, w);
	for (i = 0; e == OK && i < x->kernels; i++)
		e = store_kernel(db, x, &x->kernel[i], w);
	for (i = 0; e == OK && i < x->boards.count; i++)
		e = store_sub_board_add(db, x->id, (int64_t)i, x->boards.at[i], w);
	for (i = 0; e == OK && i < x->cases.count; i++) {
		e = store_case_id(db, x->cases.at[i], &case_id, w);
		if (e == OK)
			e = store_sub_case_add(db, x->id, case_id, w);
	}
	for (i = 0; e == OK && i < x->relinks.count; i++)
		e = store_layout_add(db, x->id, x->relinks.at[i].pos, x->relinks.at[i].layout,
		                     x->relinks.at[i].kernel, w);
	return e == OK ? schedule_advance(db, x->id, x->s.created_ms, w) : e;
}

enum err submit_own(const struct submitter *who, json_t *body, int64_t *id, struct why *w)
{
	struct pool *p = pool_new();
	struct wanted x = {0};
	enum err e = submit_read(who, p, body, &x, w);

	if (e == OK)
		e = submit_store(who->db, &x, w);
	*id = x.id;
	pool_free(p);
	return e;
}
