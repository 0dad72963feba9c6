/* submit_cost.c - what a submission will have done, as far as it can be told beforehand. */
#include "server/submit_priv.h"

#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_board.h"

int64_t submit_measured(const struct wanted *x)
{
	int64_t n = 0;

	if (x->series.is)
		return x->series.every
		               ? KERNELS_MAX
		               : 2 + (int64_t)x->series.marks + (x->series.tip_config != NULL);
	for (size_t i = 0; i < x->kernels; i++)
		n += x->kernel[i].k.validates == NONE;
	return n;
}

static int64_t validations(const struct wanted *x)
{
	int64_t n = x->series.check_config != NULL;

	for (size_t i = 0; i < x->kernels; i++)
		n += x->kernel[i].k.validates != NONE;
	return n;
}

int64_t submit_boots_of(const struct wanted *x, bool deterministic)
{
	int64_t boots = schedule_boots(x->s.boots, deterministic);

	/* Each layout in each phase, and the first phase twice. */
	return deterministic ? boots * x->s.layouts + 1 : boots;
}

enum err submit_asked(struct db *db, struct pool *p, struct wanted *x, struct why *w)
{
	enum err e = OK;

	x->s.asked_boots = validations(x);
	for (size_t i = 0; e == OK && i < x->boards.count; i++) {
		struct board b = {0};

		e = store_board_get(db, x->boards.at[i], p, &b, w);
		x->s.asked_boots += submit_measured(x) * submit_boots_of(x, b.deterministic);
	}
	return e;
}
