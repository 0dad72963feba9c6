/* verdict_floor.c - the floors of a submission's boards x cases: what relinking a
 * kernel makes there, and what booting one image in several submissions does. */
#include "server/verdict_facts.h"

#include "lib/mem.h"

#include <math.h>
#include <string.h>

/* Newest first: a board drifts. */
#define BOOTS 1024

#define GROUP_MAX 64 /* layouts, or submissions, of one kernel */

struct span {
	const struct floor_row *at;
	size_t n;
};

struct floors {
	struct facts *f;
	size_t board;
};

/* Rows lie in order: the end of those that are as the first is. */
static size_t same_layout(const struct span *s, size_t from)
{
	size_t i;

	for (i = from; i < s->n && s->at[i].layout == s->at[from].layout; i++)
		;
	return i;
}

/* Does each layout have this phase? */
static bool in_all(const struct span *s, int64_t phase)
{
	size_t from, end, i;

	for (from = 0; from < s->n; from = end) {
		end = same_layout(s, from);
		for (i = from; i < end && s->at[i].phase != phase; i++)
			;
		if (i == end)
			return false;
	}
	return true;
}

/* A boot of a phase twice (asked for afresh) counts once: they agree. */
static bool seen(const struct span *s, size_t from, size_t i)
{
	size_t o;

	for (o = from; o < i; o++)
		if (s->at[o].phase == s->at[i].phase)
			return true;
	return false;
}

/* One kernel's layouts: mean ln over boots; phases only where all layouts have them. */
static void add_layouts(const struct span *s, bool phases, struct stat_floor *out)
{
	double y[GROUP_MAX];
	size_t n = 0, from, end, i, boots;

	for (from = 0; from < s->n && n < GROUP_MAX; from = end) {
		end = same_layout(s, from);
		y[n] = 0;
		for (i = from, boots = 0; i < end; i++) {
			if (phases && (seen(s, from, i) || !in_all(s, s->at[i].phase)))
				continue;
			y[n] += log(s->at[i].number);
			boots++;
		}
		if (!boots)
			return;
		y[n++] /= (double)boots;
	}
	stat_floor_add(out, y, n);
}

/* One image's submissions: mean ln over the boots of each. */
static void add_images(const struct span *s, struct stat_floor *out)
{
	double y[GROUP_MAX];
	size_t n = 0, from = 0, i, end;
	int64_t layout = 0;

	for (; from < s->n; from = end) {
		double sum = 0;

		if (n == GROUP_MAX || (n && s->at[from].layout != layout)) {
			stat_floor_add(out, y, n);
			n = 0;
		}
		layout = s->at[from].layout;
		for (i = from; i < s->n && s->at[i].layout == layout &&
		               s->at[i].submission == s->at[from].submission;
		     i++)
			sum += log(s->at[i].number);
		end = i;
		y[n++] = sum / (double)(end - from);
	}
	stat_floor_add(out, y, n);
}

static void add_group(void *arg, const struct floor_group *g)
{
	const struct floors *x = arg;
	struct facts *f = x->f;
	struct span s = {.at = g->at, .n = g->count};

	for (size_t c = 0; c < f->cases.count; c++) {
		size_t at = x->board * f->cases.count + c;

		if (f->case_ids.at[c] != g->case_id)
			continue;
		add_layouts(&s, f->deterministic[x->board], &f->layout_floor[at]);
		/* Equal images in equal phases agree to the digit there. */
		if (!f->deterministic[x->board])
			add_images(&s, &f->image_floor[at]);
	}
}

enum err facts_floor(struct db *db, struct pool *p, struct facts *f, struct why *w)
{
	size_t n = f->boards.count * f->cases.count, board, i;
	enum err e = OK;

	f->layout_floor = pool_alloc(p, n * sizeof(*f->layout_floor));
	f->image_floor = pool_alloc(p, n * sizeof(*f->image_floor));
	/* Nothing is decided before the last boot of a look, and a comparison is computed
	 * anew with each. */
	for (board = 0; e == OK && !f->open_jobs && board < f->boards.count; board++) {
		struct floors x = {f, board};
		struct floor_want want = {.board = f->boards.at[board],
		                          .metric = f->metric[board],
		                          .newest = f->last_boot,
		                          .boots = BOOTS,
		                          .submission = f->sub.id,
		                          .layouts_only = f->deterministic[board],
		                          .group = add_group,
		                          .arg = &x};

		/* The board as it was for the newest of the boots. */
		for (i = 0; i < f->boots.count; i++)
			if (f->board_of[i] == board)
				want.identity = f->boots.at[i].board_identity;
		if (!want.identity || f->sub.imported)
			continue;
		e = store_floor_groups(db, &want, w);
	}
	return e;
}

double facts_floor_of(const struct facts *f, size_t board, size_t case_, size_t layouts)
{
	size_t at = board * f->cases.count + case_;
	double layout = stat_floor(&f->layout_floor[at], layouts);
	double image = stat_floor(&f->image_floor[at], 1);

	/* Where layouts are the unit, the interval has their spread already. */
	if (!f->deterministic[board] && layouts >= STAT_BOOTS_MIN)
		return image;
	return fmax(layout, image); /* of a number and a NAN: the number */
}
