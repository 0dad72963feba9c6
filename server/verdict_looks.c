#include "server/verdict_looks.h"

#include "lib/mem.h"
#include "lib/stat/looks.h"

/* The whole of a look: boots are laid for all of it at once. */
static int64_t up_to_look(int64_t boots)
{
	size_t i = 0;

	while (i + 1 < STAT_LOOKS && (int64_t)stat_look[i].boots < boots)
		i++;
	return (int64_t)stat_look[i].boots;
}

int64_t looks_laid(const struct facts *f, size_t board)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < f->boots.count; i++)
		if (f->board_of[i] == board && f->boots.at[i].phase >= n)
			n = f->boots.at[i].phase + 1;
	return up_to_look(n);
}

static bool is_of(const struct facts *f, const struct job *j, size_t board)
{
	return str_eq(j->kind, "boot") && str_eq(j->purpose, "work") &&
	       str_eq(j->board, f->boards.at[board]);
}

/* Boots that were planned, whatever became of them; and the first that is open. */
static void planned(const struct facts *f, size_t board, int64_t *laid, int64_t *open)
{
	size_t i;

	*laid = looks_laid(f, board);
	*open = INT64_MAX;
	for (i = 0; i < f->jobs.count; i++) {
		const struct job *j = &f->jobs.at[i];

		if (!is_of(f, j, board))
			continue;
		if (j->phase >= *laid)
			*laid = up_to_look(j->phase + 1);
		if ((str_eq(j->state, "queued") || str_eq(j->state, "leased")) && j->phase < *open)
			*open = j->phase;
	}
}

static void compare(const struct facts *f, struct pool *p, size_t board, int64_t boots,
                    struct stat_result *cell)
{
	size_t b = (size_t)f->sub.baseline, n = f->kernels.count, c, k;

	for (c = 0; c < f->cases.count; c++) {
		struct side base = verdict_side(p, f, facts_slot(f, board, c, b), boots);

		for (k = 0; k < n; k++) {
			struct side side = verdict_side(p, f, facts_slot(f, board, c, k), boots);

			if (k != b)
				verdict_judge(f, p, board, c, k, &base, &side, &cell[c * n + k]);
		}
	}
}

/* Median and mean that contradict each other are not reconciled by boots. */
static bool is_open(const struct stat_result *r)
{
	return r->verdict == VERDICT_UNSURE && !(r->skewed && r->needed < 0);
}

struct looked *looked_at(const struct facts *f, struct pool *p, size_t board)
{
	size_t n = f->kernels.count, cells = 0, look, done = 0, i;
	struct stat_rule rule; /* level and direction: of all cases alike */
	struct stat_result **at;
	struct looked *l;
	int64_t laid, open;
	bool *rejected, searched = false;

	/* Boots that were added when the result was known are no look: what was rejected
	 * before does not stand, and each cell is judged by itself. */
	if (f->added[board] || f->deterministic[board] || f->sub.boots != NONE || f->sub.imported ||
	    !f->sub.planned || !f->cases.count)
		return NULL;
	rule = verdict_rule(f, board, 0, 1);
	planned(f, board, &laid, &open);
	while (done < STAT_LOOKS && (int64_t)stat_look[done].boots <= laid &&
	       (int64_t)stat_look[done].boots <= open)
		done++;
	if (!done)
		return NULL;
	l = pool_alloc(p, sizeof(*l));
	*l = (struct looked){.laid = laid, .boots = (int64_t)stat_look[done - 1].boots};
	l->cell = pool_alloc(p, f->cases.count * n * sizeof(*l->cell));
	at = pool_alloc(p, f->cases.count * n * sizeof(struct stat_result *));
	rejected = pool_alloc(p, f->cases.count * n);
	for (i = 0; i < f->cases.count * n; i++)
		if (i % n != (size_t)f->sub.baseline)
			at[cells++] = &l->cell[i];
	for (look = 0; look < done; look++) {
		compare(f, p, board, (int64_t)stat_look[look].boots, l->cell);
		stat_looked(at, cells, look, &rule, rejected);
	}
	/* What a search added gets the boots that the others have, and no look more. */
	for (i = 0; i < n; i++)
		searched |= f->kernels.at[i].searched;
	for (i = 0; i < cells && done < STAT_LOOKS && !searched; i++)
		if (is_open(at[i]))
			l->next = (int64_t)stat_look[done].boots;
	return l;
}

const struct stat_result *looked_cell(const struct looked *l, const struct facts *f, size_t case_,
                                      size_t kernel)
{
	return &l->cell[case_ * f->kernels.count + kernel];
}
