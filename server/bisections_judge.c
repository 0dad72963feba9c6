/* bisections_judge.c - boots of a step against those of the ends. */
#include "server/bisections_judge.h"

#include "lib/mem.h"
#include "lib/stat/looks.h"
#include "server/schedule.h"
#include "server/verdict_cell.h"

#include <math.h>

/* A board that repeats itself to the digit: as many phases as double the evidence. */
static const int64_t phases[] = {2, 4, BOOTS_PHASES};
/* Least spread, of ln: what moving the text alone makes (docs/statistics.md). */
#define SPREAD_MIN   .001
/* Of what the ends can be told apart by, a step is held to so much; and an answer that
 * would be wrong more often than ALPHA_MAX is none. */
#define REACH_SHARE  .8
#define ALPHA_MAX    .05
/* A fault that the bad end shows with that rate stays unseen in `need` boots of a bad
 * commit with this probability. */
#define FAULT_MISSED .01
#define NEED_MAX     5

int64_t judge_boots(bool deterministic, int64_t asked)
{
	if (deterministic) {
		for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
			if (phases[i] > asked)
				return phases[i];
		return 0;
	}
	for (size_t i = 0; i < STAT_LOOKS; i++)
		if ((int64_t)stat_look[i].boots > asked)
			return (int64_t)stat_look[i].boots;
	return 0;
}

int64_t judge_boots_ends(bool deterministic)
{
	return deterministic ? BOOTS_PHASES : (int64_t)stat_look[STAT_LOOKS - 1].boots;
}

/* ---- numbers */

struct numbers {
	double *x;
	int64_t *phase;
	size_t n;
};

struct levels {
	bool deterministic;
	struct numbers side[2]; /* of the submission's two kernels, as it links them */
};

static void as_linked(struct pool *p, const struct side *s, struct numbers *out)
{
	out->x = pool_alloc(p, s->stat.n * sizeof(*out->x));
	out->phase = pool_alloc(p, s->stat.n * sizeof(*out->phase));
	for (size_t i = 0; i < s->stat.n; i++) {
		if (s->layout[i])
			continue;
		out->x[out->n] = s->stat.median[i];
		out->phase[out->n++] = s->stat.phase[i];
	}
}

/* The two kernels of a submission in the cell that decides, in whatever layout. */
static enum err read_sides(struct db *db, struct pool *p, const struct bisection *b, int64_t sub,
                           struct side side[2], bool *deterministic, struct why *w)
{
	struct facts f = {0};
	enum err e = facts_load(db, p, sub, &f, w);

	side[0] = side[1] = (struct side){0};
	*deterministic = false;
	if (e == OK)
		e = facts_known(db, p, &f, w);
	if (e == OK)
		e = facts_environments(db, p, &f, w);
	if (e != OK)
		return e;
	facts_lay(p, &f);
	for (size_t board = 0; board < f.boards.count; board++) {
		if (!str_eq(f.boards.at[board], b->board))
			continue;
		*deterministic = f.deterministic[board];
		for (size_t c = 0; c < f.cases.count; c++)
			for (size_t k = 0; str_eq(f.cases.at[c], b->case_text) && k < 2; k++)
				side[k] =
				        verdict_side(p, &f, facts_slot(&f, board, c, k), ALL_BOOTS);
	}
	return OK;
}

static enum err read_levels(struct db *db, struct pool *p, const struct bisection *b, int64_t sub,
                            struct levels *out, struct why *w)
{
	struct side side[2];
	enum err e;

	*out = (struct levels){0};
	e = read_sides(db, p, b, sub, side, &out->deterministic, w);
	for (size_t k = 0; e == OK && k < 2; k++)
		as_linked(p, &side[k], &out->side[k]);
	return e;
}

/* Sums of squares of a kernel's layouts about its mean, and of boots about their layout's. */
struct luck {
	double between, df_between, within, df_within;
	double boots, layouts;
};

static void add_luck(const struct side *s, struct luck *out)
{
	double all = 0, mean[LAYOUTS_MAX] = {0}, n[LAYOUTS_MAX] = {0}, used = 0;

	for (size_t i = 0; i < s->stat.n; i++) {
		mean[s->layout[i]] += log(s->stat.median[i]);
		n[s->layout[i]]++;
	}
	for (size_t l = 0; l < LAYOUTS_MAX; l++) {
		if (n[l] < 1)
			continue;
		mean[l] /= n[l];
		all += mean[l];
		used++;
	}
	if (used < 2)
		return;
	all /= used;
	for (size_t l = 0; l < LAYOUTS_MAX; l++)
		out->between += n[l] > 0 ? (mean[l] - all) * (mean[l] - all) : 0;
	for (size_t i = 0; i < s->stat.n; i++) {
		double d = log(s->stat.median[i]) - mean[s->layout[i]];

		out->within += d * d;
	}
	out->df_between += used - 1;
	out->df_within += (double)s->stat.n - used;
	out->boots += (double)s->stat.n;
	out->layouts += used;
}

/* What the linker's luck moves a comparison of one link by: from the layouts of the newest
 * re-measuring, less what boots alone make of their means; 0 where none is seen. */
static enum err luck_of(struct db *db, struct pool *p, const struct bisection *b, double *shift,
                        struct why *w)
{
	struct alert_works works = {0};
	struct side side[2];
	struct luck x = {0};
	int64_t sub = NONE;
	bool deterministic;
	double var;
	enum err e = store_work_of_alert(db, b->alert, p, &works, w);

	*shift = 0;
	for (size_t i = 0; i < works.count; i++)
		if (str_eq(works.at[i].purpose, "remeasure") && str_eq(works.at[i].state, "done"))
			sub = works.at[i].submission;
	if (e != OK || sub == NONE)
		return e;
	e = read_sides(db, p, b, sub, side, &deterministic, w);
	for (size_t k = 0; e == OK && k < 2; k++)
		add_luck(&side[k], &x);
	if (e != OK || x.df_between < 1 || x.df_within < 1)
		return e;
	var = x.between / x.df_between - x.within / x.df_within * x.layouts / x.boots;
	*shift = var > 0 ? sqrt(2 * var) : 0;
	return OK;
}

static double of_phase(const struct numbers *n, int64_t phase)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->phase[i] == phase)
			return n->x[i];
	return NAN;
}

/* Phases that all have. The bad end as its own good end was beside it: the good end of the
 * step may have booted in another environment since. */
static struct sprt by_phase(struct pool *p, const struct levels *ends, const struct levels *step,
                            const struct sprt_rule *rule)
{
	const struct numbers *x = &step->side[1];
	double *good = pool_alloc(p, x->n * sizeof(*good)),
	       *bad = pool_alloc(p, x->n * sizeof(*bad));
	double *own = pool_alloc(p, x->n * sizeof(*own));
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++) {
		double g = of_phase(&step->side[0], x->phase[i]);
		double ratio = of_phase(&ends->side[1], x->phase[i]) /
		               of_phase(&ends->side[0], x->phase[i]);

		if (!isfinite(g) || !isfinite(ratio))
			continue;
		good[n] = g;
		bad[n] = g * ratio;
		own[n++] = x->x[i];
	}
	return stat_sprt_phases(good, bad, own, n, rule);
}

static double log_mean(const struct numbers *n)
{
	double sum = 0;

	for (size_t i = 0; i < n->n; i++)
		sum += log(n->x[i]);
	return sum / (double)n->n;
}

static struct sprt by_boot(struct pool *p, const struct levels *ends, const struct levels *step,
                           const struct sprt_rule *rule)
{
	const struct numbers *g = step->side[0].n < 2 ? &ends->side[0] : &step->side[0];
	const struct numbers *b = &ends->side[1];
	double *bad = pool_alloc(p, b->n * sizeof(*bad));
	double shift = exp(log_mean(g) - log_mean(&ends->side[0]));

	for (size_t i = 0; i < b->n; i++)
		bad[i] = b->x[i] * shift;
	return stat_sprt_boots(g->x, g->n, bad, b->n, step->side[1].x, step->side[1].n, rule);
}

/* ---- what there is to go by */

struct ended {
	struct sub sub;
	struct sub_kernels kernels; /* good, then bad */
	int64_t infra;              /* jobs that infra trouble ended */
	const char *infra_why;
};

/* False: it is judged already. */
static bool is_whole(struct pool *p, const struct ended *x, struct judgement *j)
{
	const struct sub_kernel *good = &x->kernels.at[0], *bad = &x->kernels.at[1];

	if (str_eq(x->sub.state, "cancelled")) {
		j->as = JUDGED_STOP;
		j->why = pool_fmt(p, "submission %lld was cancelled", (long long)x->sub.id);
	} else if (str_eq(good->state, "failed") || str_eq(bad->state, "failed")) {
		const struct sub_kernel *k = str_eq(good->state, "failed") ? good : bad;

		j->as = x->infra ? JUDGED_INFRA : k == bad ? JUDGED_SKIP : JUDGED_STOP;
		j->why = x->infra ? x->infra_why
		                  : pool_fmt(p, "%s: %s", k->name,
		                             k->why ? k->why : "no reason given");
	} else {
		return true;
	}
	return false;
}

static enum err read_ended(struct db *db, struct pool *p, int64_t sub, struct ended *x,
                           struct judgement *j, struct why *w)
{
	struct kernel k = {0};
	enum err e = store_sub_get(db, sub, p, &x->sub, w);

	*j = (struct judgement){
	        .used = NONE, .llr = NAN, .level = NAN, .spread = NAN, .need = NONE, .rate = NAN};
	if (e == OK)
		e = store_sub_kernels(db, sub, p, &x->kernels, w);
	if (e == OK)
		e = store_bisect_infra(db, sub, NONE, p, &x->infra, &x->infra_why, w);
	if (e == OK && x->kernels.count < 2)
		err_bug("submission %lld of a bisection has no two kernels", (long long)sub);
	for (size_t i = 0; e == OK && i < 2; i++) {
		if (x->kernels.at[i].kernel_id == NONE)
			continue;
		e = store_kernel_get(db, x->kernels.at[i].kernel_id, p, &k, w);
		if (i == 0)
			j->good_binary = k.section_hash;
		else
			j->binary = k.section_hash;
	}
	return e;
}

/* Boots that gave nothing. */
static enum err no_number(struct db *db, struct pool *p, const struct bisection *b,
                          const struct ended *x, struct judgement *j, struct why *w)
{
	struct work_cell c;
	enum err e = OK;

	if (x->infra) {
		j->as = JUDGED_INFRA;
		j->why = x->infra_why;
		return OK;
	}
	e = store_work_cell(db, x->sub.id, b->board, b->case_text, x->kernels.at[1].name, p, &c, w);
	j->as = JUDGED_SKIP;
	j->why = c.why ? c.why : "no boot gave a number";
	return e;
}

/* ---- a fault, by presence */

static enum err seen(struct db *db, const struct bisection *b, const char *signature,
                     const struct ended *x, size_t side, struct pool *p, struct bisect_seen *out,
                     struct why *w)
{
	*out = (struct bisect_seen){0};
	return x->kernels.at[side].kernel_id == NONE
	               ? OK
	               : store_bisect_seen(db, x->sub.id, x->kernels.at[side].kernel_id, b->board,
	                                   signature, p, out, w);
}

/* Whether it is shown; JUDGED_GOOD needs `need` boots without it. */
static void by_presence(struct pool *p, const struct bisect_seen *s, int64_t need, double rate,
                        const struct ended *x, struct judgement *j)
{
	j->used = s->shown + s->clean;
	if (s->shown) {
		j->as = JUDGED_BAD;
		j->level = 1;
		j->why = pool_fmt(p, "%lld of %lld boots showed it", (long long)s->shown,
		                  (long long)j->used);
	} else if (s->clean >= need) {
		/* Of a bad commit so many boots would have stayed without it. */
		double miss = fmax(1 - rate, FAULT_MISSED);

		j->as = JUDGED_GOOD;
		j->level = 0;
		j->llr = (double)s->clean * log(miss);
		j->why = pool_fmt(p, "none of %lld boots showed it", (long long)j->used);
	} else if (x->infra) {
		j->as = JUDGED_INFRA;
		j->why = x->infra_why;
	} else {
		j->as = JUDGED_SKIP;
		j->why =
		        pool_fmt(p, "%lld of %lld boots came to their end%s%s", (long long)s->clean,
		                 (long long)need, s->why ? ": " : "", s->why ? s->why : "");
	}
}

static enum err fault_ends(struct db *db, struct pool *p, const struct bisection *b,
                           const char *signature, const struct ended *x, struct judgement *j,
                           struct why *w)
{
	struct bisect_seen good, bad;
	enum err e = seen(db, b, signature, x, 0, p, &good, w);

	if (e == OK)
		e = seen(db, b, signature, x, 1, p, &bad, w);
	if (e != OK)
		return e;
	by_presence(p, &bad, 1, NAN, x, j);
	if (j->as == JUDGED_GOOD)
		j->why = pool_fmt(p, "the bad end: %s", j->why);
	if (j->as != JUDGED_BAD)
		return OK;
	j->rate = (double)bad.shown / (double)(bad.shown + bad.clean);
	j->need = j->rate < 1 ? (int64_t)ceil(log(FAULT_MISSED) / log(1 - j->rate)) : 1;
	j->need = j->need > NEED_MAX ? NEED_MAX : j->need < 1 ? 1 : j->need;
	if (good.shown || !good.clean) {
		j->as = good.shown ? JUDGED_GOOD : x->infra ? JUDGED_INFRA : JUDGED_SKIP;
		j->why = good.shown ? "the good end shows it as well"
		         : x->infra ? x->infra_why
		                    : pool_fmt(p, "the good end does not boot%s%s",
		                               good.why ? ": " : "", good.why ? good.why : "");
	}
	return OK;
}

/* ---- the three questions */

static void of_verdict(struct pool *p, const struct bisection *b, const struct work_cell *c,
                       const struct ended *x, struct judgement *j)
{
	if (str_eq(c->verdict, "slower")) {
		j->as = JUDGED_BAD;
		j->why = pool_fmt(p, "%+.2f %% [%+.2f %%, %+.2f %%] in %s on %s", c->change * 100,
		                  c->low * 100, c->high * 100, b->case_text, b->board);
		return;
	}
	j->as = x->infra ? JUDGED_INFRA : JUDGED_GOOD;
	j->why = x->infra     ? x->infra_why
	         : c->verdict ? pool_fmt(p, "%s in %s on %s%s%s", c->verdict, b->case_text,
	                                 b->board, c->why ? ": " : "", c->why ? c->why : "")
	                      : pool_fmt(p, "%s was not measured on %s", b->case_text, b->board);
}

static enum err two_sides(struct db *db, struct pool *p, const struct bisection *b,
                          const char *signature, int64_t sub, struct judgement *j, struct why *w)
{
	struct ended x = {0};
	struct work_cell c;
	enum err e = read_ended(db, p, sub, &x, j, w);

	if (e != OK || !is_whole(p, &x, j))
		return e;
	if (signature)
		return fault_ends(db, p, b, signature, &x, j, w);
	e = store_work_cell(db, sub, b->board, b->case_text, x.kernels.at[1].name, p, &c, w);
	if (e == OK)
		of_verdict(p, b, &c, &x, j);
	return e;
}

enum err judge_ends(struct db *db, struct pool *p, const struct bisection *b, const char *signature,
                    int64_t sub, struct judgement *out, struct why *w)
{
	return two_sides(db, p, b, signature, sub, out, w);
}

enum err judge_proof(struct db *db, struct pool *p, const struct bisection *b,
                     const char *signature, int64_t sub, struct judgement *out, struct why *w)
{
	return two_sides(db, p, b, signature, sub, out, w);
}

static enum err same_binary(struct db *db, struct pool *p, const struct bisection *b,
                            const struct bisection_step *s, struct judgement *j, bool *is,
                            struct why *w)
{
	const char *commit, *answer = NULL;
	enum err e = store_bisect_same(db, s->submission, p, is, &commit, w);

	if (e != OK || !*is)
		return e;
	if (str_eq(commit, b->good))
		answer = "good";
	else if (str_eq(commit, b->bad))
		answer = "bad";
	for (size_t i = 0; !answer && i < b->commits; i++)
		if (str_eq(b->commit[i].commit, commit))
			answer = b->commit[i].answer;
	j->as = str_eq(answer, "bad") ? JUDGED_BAD : JUDGED_GOOD;
	j->used = 0;
	j->why = pool_fmt(p, "its binary is that of %.12s, which is %s: it was not booted", commit,
	                  answer);
	return OK;
}

static const char *words(struct pool *p, const struct sprt *s, bool deterministic,
                         const struct sprt_rule *r)
{
	const char *unit = deterministic ? "phase" : "boot";
	const char *many = s->n == 1 ? "" : "s";

	if (s->between)
		return pool_fmt(p,
		                "%.0f %% of the way in %zu %s%s: neither end, so several commits "
		                "share the change; it is on the %s side of its half",
		                s->level * 100, s->n, unit, many, s->level < .5 ? "good" : "bad");
	return pool_fmt(p,
	                "%.0f %% of the way from good to bad in %zu %s%s: ln of the likelihood "
	                "ratio %+.1f, bounds %+.1f and %+.1f",
	                s->level * 100, s->n, unit, many, s->llr, stat_sprt_lower(r),
	                stat_sprt_upper(r));
}

/* The ends' levels, and by what rule a commit is told to be like one of them. Where all the
 * boots there may be cannot reach the error that is wanted, a larger one is settled for.
 * `reach` is what the bad end itself would come to. */
static enum err rule_of(struct db *db, struct pool *p, const struct bisection *b, double alpha,
                        struct levels *ends, struct sprt_rule *rule, double *reach, struct why *w)
{
	struct work_cell c;
	struct sprt r;
	double settled;
	enum err e = read_levels(db, p, b, b->ends, ends, w);

	*rule = (struct sprt_rule){.alpha = alpha, .beta = alpha, .floor = SPREAD_MIN};
	if (e == OK)
		e = store_work_cell(db, b->ends, b->board, b->case_text, commit_short(p, b->bad), p,
		                    &c, w);
	/* On a board that repeats itself all that differs beside the change is layout. */
	if (e == OK && ends->deterministic && isfinite(c.tau))
		rule->floor = fmax(rule->floor, c.tau);
	else if (e == OK && !ends->deterministic)
		e = luck_of(db, p, b, &rule->shift, w);
	if (e != OK)
		return e;
	r = ends->deterministic ? by_phase(p, ends, ends, rule) : by_boot(p, ends, ends, rule);
	*reach = isnan(r.llr) ? 0 : r.llr;
	settled = 1 - stat_sprt_sure(*reach * REACH_SHARE);
	if (settled > alpha)
		rule->alpha = rule->beta = fmin(settled, ALPHA_MAX);
	return OK;
}

enum err judge_reach(struct db *db, struct pool *p, const struct bisection *b, double alpha,
                     const char **why, struct why *w)
{
	struct levels ends;
	struct sprt_rule rule;
	double reach;
	enum err e = rule_of(db, p, b, alpha, &ends, &rule, &reach, w);

	*why = NULL;
	if (e == OK && reach * REACH_SHARE < stat_sprt_upper(&rule) - 1e-9)
		*why = pool_fmt(
		        p,
		        "the ends differ by too little for the boots of a step: ln of the "
		        "likelihood ratio of the bad end itself is %+.1f, and %+.1f is needed",
		        reach, stat_sprt_upper(&rule) / REACH_SHARE);
	return e;
}

static enum err by_numbers(struct db *db, struct pool *p, const struct bisection *b,
                           const struct bisection_step *s, const struct ended *x, double alpha,
                           struct judgement *j, struct why *w)
{
	struct levels ends, step;
	struct sprt_rule rule;
	struct sprt r;
	double reach;
	enum err e = rule_of(db, p, b, alpha, &ends, &rule, &reach, w);

	if (e == OK)
		e = read_levels(db, p, b, s->submission, &step, w);
	if (e != OK)
		return e;
	if (!step.side[1].n)
		return no_number(db, p, b, x, j, w);
	r = ends.deterministic ? by_phase(p, &ends, &step, &rule) : by_boot(p, &ends, &step, &rule);
	j->used = (int64_t)r.n;
	j->llr = r.llr;
	j->level = r.level;
	j->spread = r.sd;
	j->midway = r.between;
	if (isnan(r.llr))
		return no_number(db, p, b, x, j, w);
	j->why = words(p, &r, ends.deterministic, &rule);
	if (r.answer != SPRT_OPEN)
		j->as = r.answer == SPRT_BAD ? JUDGED_BAD : JUDGED_GOOD;
	else if (x->infra)
		j->as = JUDGED_INFRA;
	else
		j->as = judge_boots(ends.deterministic, s->asked) ? JUDGED_MORE : JUDGED_SKIP;
	if (j->as == JUDGED_INFRA)
		j->why = x->infra_why;
	if (j->as == JUDGED_SKIP)
		j->why = pool_fmt(p, "unsure: %s", j->why);
	return OK;
}

enum err judge_step(struct db *db, struct pool *p, const struct bisection *b, const char *signature,
                    const struct bisection_step *s, double alpha, struct judgement *out,
                    struct why *w)
{
	struct ended x = {0};
	struct bisect_seen n;
	bool same = false;
	enum err e = read_ended(db, p, s->submission, &x, out, w);

	if (e != OK || !is_whole(p, &x, out))
		return e;
	e = same_binary(db, p, b, s, out, &same, w);
	if (e != OK || same)
		return e;
	if (!signature)
		return by_numbers(db, p, b, s, &x, alpha, out, w);
	e = seen(db, b, signature, &x, 1, p, &n, w);
	if (e == OK)
		by_presence(p, &n, b->need, b->rate, &x, out);
	return e;
}
