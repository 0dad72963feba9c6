/* verdict_spread.c - what a board's other kernels say of the spread of its boots. */
#include "server/verdict_facts.h"

#include "lib/mem.h"
#include "lib/stat/number.h"

#include <math.h>

/* Newest first: a board drifts, and firmware changes. */
#define KERNELS 32
#define BOOTS   512

/* ln numbers of one case and kernel. */
struct group {
	double *y;
	size_t n;
};

struct variances {
	double s2[KERNELS], df[KERNELS];
	size_t n;
};

static void end_group(struct group *g, struct variances *v)
{
	double sd = stat_sd(g->y, g->n);

	if (g->n >= 2 && v->n < KERNELS) {
		v->s2[v->n] = sd * sd;
		v->df[v->n++] = (double)g->n - 1;
	}
	g->n = 0;
}

static void of_board(struct pool *p, const struct facts *f, const struct spread_rows *rows,
                     struct stat_pool *out)
{
	struct group g = {.y = pool_alloc(p, (rows->count + 1) * sizeof(double))};
	size_t c, i;

	for (c = 0; c < f->cases.count; c++) {
		struct variances v = {0};
		int64_t kernel = NONE;

		for (i = 0; i < rows->count; i++) {
			const struct spread_row *r = &rows->at[i];

			if (r->case_id != f->case_ids.at[c] || !(r->number > 0))
				continue;
			if (r->kernel != kernel)
				end_group(&g, &v);
			kernel = r->kernel;
			g.y[g.n++] = log(r->number);
		}
		end_group(&g, &v);
		out[c] = stat_pool(v.s2, v.df, v.n);
	}
}

enum err facts_spread(struct db *db, struct pool *p, struct facts *f, struct why *w)
{
	size_t board;
	enum err e = OK;

	f->spread = pool_alloc(p, f->boards.count * f->cases.count * sizeof(*f->spread));
	for (board = 0; e == OK && board < f->boards.count; board++) {
		const struct spread_want want = {.board = f->boards.at[board],
		                                 .metric = f->metric[board],
		                                 .submission = f->sub.id,
		                                 .newest = f->last_boot,
		                                 .boots = BOOTS,
		                                 .kernels = KERNELS};
		struct spread_rows rows = {0};

		if (f->deterministic[board] || f->sub.imported)
			continue;
		e = store_stat_spread(db, &want, p, &rows, w);
		if (e == OK)
			of_board(p, f, &rows, f->spread + board * f->cases.count);
	}
	return e;
}
