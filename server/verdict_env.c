/*
 * verdict_env.c - which boots may be compared: those of one environment. A board that
 * got other firmware, another QEMU or another governor in the middle of a submission
 * gives numbers that say nothing about the kernels.
 */
#include "server/verdict_facts.h"

#include "lib/mem.h"

/* One environment against the board's. */
struct known {
	const char *env_id;
	struct env_differences d;
	const char *words;
};

struct knowns {
	struct known *at;
	size_t count;
};

static bool is_measured(const struct facts *f, size_t board, size_t boot)
{
	const struct boot *b = &f->boots.at[boot];

	return b->valid && !b->void_why && b->replicate == 0 && b->env_id &&
	       f->board_of[boot] == board && f->kernel_of[boot] != NOWHERE;
}

static bool is_baselines(const struct facts *f, size_t boot)
{
	return f->kernel_of[boot] == f->stands_for[f->sub.baseline];
}

/* That of most of the baseline's boots; of several the newest. NULL: it has none. */
static const char *of_baseline(const struct facts *f, size_t board)
{
	const char *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < f->boots.count; i++) {
		size_t n = 0;

		if (!is_measured(f, board, i) || !is_baselines(f, i))
			continue;
		for (size_t o = 0; o < f->boots.count; o++)
			n += is_measured(f, board, o) && is_baselines(f, o) &&
			     str_eq(f->boots.at[o].env_id, f->boots.at[i].env_id);
		if (n >= most) {
			most = n;
			best = f->boots.at[i].env_id;
		}
	}
	return best;
}

static enum err difference(struct db *db, struct pool *p, const char *base, const char *env_id,
                           struct knowns *knowns, const struct known **out, struct why *w)
{
	const char *one = NULL, *other = NULL;
	struct known *k;
	enum err e;

	for (size_t i = 0; i < knowns->count; i++)
		if (str_eq(knowns->at[i].env_id, env_id)) {
			*out = &knowns->at[i];
			return OK;
		}
	e = store_boot_env(db, base, p, &one, w);
	if (e == OK)
		e = store_boot_env(db, env_id, p, &other, w);
	if (e != OK)
		return e;
	k = pool_push(p, (void **)&knowns->at, &knowns->count, sizeof(*k));
	k->env_id = env_id;
	env_diff(p, one, other, &k->d);
	k->words = env_diff_words(p, &k->d);
	*out = k;
	return OK;
}

static void add_all(struct pool *p, struct env_differences *to, const struct env_differences *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct env_difference *d = &from->at[i];
		bool again = false;

		for (size_t o = 0; o < to->count; o++)
			again |= str_eq(to->at[o].field, d->field) &&
			         str_eq(to->at[o].other, d->other);
		if (!again)
			*(struct env_difference *)pool_push(p, (void **)&to->at, &to->count,
			                                    sizeof(*d)) = *d;
	}
}

/* A boot of the baseline stands in every kernel's cells. */
static void flag(struct pool *p, struct facts *f, size_t board, size_t boot,
                 const struct env_differences *d)
{
	for (size_t k = 0; k < f->kernels.count; k++)
		if (is_baselines(f, boot) || f->stands_for[k] == f->kernel_of[boot])
			add_all(p, facts_across(f, board, k), d);
}

static enum err of_board(struct db *db, struct pool *p, struct facts *f, size_t board,
                         struct why *w)
{
	const char *base = of_baseline(f, board);
	struct knowns knowns = {0};
	enum err e = OK;

	f->env[board] = base;
	for (size_t i = 0; !base && i < f->boots.count; i++)
		if (is_measured(f, board, i))
			f->env[board] = f->boots.at[i].env_id;
	for (size_t i = 0; e == OK && base && i < f->boots.count; i++) {
		const struct known *k = NULL;

		if (!is_measured(f, board, i) || str_eq(f->boots.at[i].env_id, base))
			continue;
		e = difference(db, p, base, f->boots.at[i].env_id, &knowns, &k, w);
		if (e != OK)
			return e;
		if (f->sub.across)
			flag(p, f, board, i, &k->d);
		else
			f->apart[i] = pool_fmt(p,
			                       "its environment is not that of the baseline's%s"
			                       " boots: %s",
			                       is_baselines(f, i) ? " other" : "", k->words);
	}
	return e;
}

enum err facts_environments(struct db *db, struct pool *p, struct facts *f, struct why *w)
{
	enum err e = OK;

	f->apart = pool_alloc(p, f->boots.count * sizeof(*f->apart));
	f->env = pool_alloc(p, f->boards.count * sizeof(*f->env));
	f->across = pool_alloc(p, f->boards.count * f->kernels.count * sizeof(*f->across));
	for (size_t i = 0; e == OK && i < f->boards.count; i++)
		e = of_board(db, p, f, i, w);
	return e;
}

void facts_note_across(struct pool *p, const struct facts *f, struct cmp *c)
{
	for (size_t b = 0; b < f->boards.count; b++)
		for (size_t k = 0; k < f->kernels.count; k++) {
			const struct env_differences *d = facts_across(f, b, k);

			if (!d->count || k == c->baseline)
				continue;
			cmp_add_note(c,
			             "%s, %s: boots of different environments are compared, as"
			             " was asked for: %s",
			             f->boards.at[b], f->kernels.at[k].name, env_diff_words(p, d));
			for (size_t i = 0; i < d->count; i++)
				cmp_add_across(c, b, k, d->at[i].field, d->at[i].one,
				               d->at[i].other);
		}
}
