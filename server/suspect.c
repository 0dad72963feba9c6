/* suspect.c - the commit that a bisection found, with what moved and in which functions. */
#include "server/suspect.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/profile.h"
#include "lib/zst.h"
#include "server/show_bisection.h"
#include "server/store_artifact.h"
#include "server/store_boot.h"

#include <math.h>
#include <stdlib.h>

#define PACKED_MAX  (8u << 20)
#define PROFILE_MAX (64u << 20)

/* ---- functions */

static enum err read_profile(const struct server_conf *conf, const char *sha256,
                             struct profiles *out, struct why *w)
{
	char *path = artifact_path(conf->dir, sha256);
	struct buf packed, plain;
	enum err e;

	buf_init(&packed, PACKED_MAX);
	buf_init(&plain, PROFILE_MAX);
	e = file_read(path, &packed, w);
	if (e == OK)
		e = zst_unpack(packed.data, packed.len, &plain, w);
	if (e == OK)
		e = profiles_read(plain.data, plain.len, out, w);
	buf_release(&packed);
	buf_release(&plain);
	free(path);
	return e;
}

/* The first run that was counted by function, of one kernel; NULL: none. */
static const struct profile_row_of *run_of(const struct profile_rows_of *rows, int64_t kernel,
                                           const char *board, int64_t phase)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct profile_row_of *r = &rows->at[i];

		if (r->kernel == kernel && str_eq(r->board, board) &&
		    (phase == NONE || r->phase == phase))
			return r;
	}
	return NULL;
}

static void take_movers(struct pool *p, const struct profile *a, const struct profile *b,
                        struct suspect *out)
{
	size_t n;
	struct mover *m = profile_movers(a, NULL, b, NULL, &n);

	for (size_t i = 0; i < n && out->movers < SUSPECT_MOVERS; i++) {
		if (fabs(m[i].b - m[i].a) < .5)
			continue;
		out->mover[out->movers++] = (struct suspect_mover){
		        .function = pool_str(p, m[i].function), .before = m[i].a, .after = m[i].b};
	}
	free(m);
}

/* Boots that prove a board count by function; where there are none, or what an agent sent
 * cannot be read, the letter goes without. */
static enum err load_movers(const struct server_conf *conf, struct db *db, struct pool *p,
                            const struct sub_kernels *k, struct suspect *out, struct why *w)
{
	const struct alert_cell *c = &out->cells.at[0];
	struct profile_rows_of rows = {0};
	const struct profile_row_of *a, *b = NULL;
	struct profiles before = {0}, after = {0};
	enum err e = store_run_profiles(db, out->proof, c->case_text, p, &rows, w);

	if (e != OK)
		return e;
	a = run_of(&rows, k->at[0].kernel_id, c->board, NONE);
	if (a)
		b = run_of(&rows, k->at[1].kernel_id, c->board, a->phase);
	if (b && read_profile(conf, a->profile, &before, NULL) == OK &&
	    read_profile(conf, b->profile, &after, NULL) == OK && a->at >= 0 && b->at >= 0 &&
	    (size_t)a->at < before.runs && (size_t)b->at < after.runs)
		take_movers(p, &before.run[a->at], &after.run[b->at], out);
	profiles_release(&before);
	profiles_release(&after);
	return OK;
}

/* ---- the whole */

static struct suspect suspect_of(const struct bisection *b)
{
	const struct bisection_commit *c = &b->commit[b->culprit - 1];
	struct suspect x = {.commit = c->commit,
	                    .subject = c->subject,
	                    .author = c->author,
	                    .parent = b->first > 1 ? b->commit[b->first - 2].commit : b->good,
	                    .range = b->culprit - b->first,
	                    .shared = b->shared,
	                    .steps = (int64_t)b->steps,
	                    .confidence = b->confidence,
	                    .proof = b->proof};

	for (size_t i = 0; i < b->steps; i++)
		x.boots += b->at[i].boots;
	return x;
}

enum err suspect_load(const struct server_conf *conf, struct db *db, struct pool *p, int64_t alert,
                      int64_t step, struct suspect *out, json_t **bisection, struct why *w)
{
	struct sub_kernels k = {0};
	struct bisection b = {0};
	json_t *o = NULL;
	enum err e = store_bisect_of_alert(db, alert, p, &b, w);

	*bisection = NULL;
	if (e != OK || !b.id || b.step == NONE || b.step > step || b.culprit == NONE)
		return e;
	e = store_bisect_load(db, &b, p, w);
	if (e == OK)
		e = store_sub_kernels(db, b.proof, p, &k, w);
	if (e != OK)
		return e;
	*out = suspect_of(&b);
	/* The good side is first in every submission of the server's own. */
	out->kernel = k.count > 1 ? k.at[1].name : "";
	if (b.case_text)
		e = store_work_cells(db, b.proof, out->kernel, p, &out->cells, w);
	if (e == OK && k.count > 1 && out->cells.count)
		e = load_movers(conf, db, p, &k, out, w);
	if (e == OK)
		e = show_bisection_of(db, p, alert, step, &o, w);
	if (e == OK)
		*bisection = o;
	else
		json_decref(o);
	return e;
}
