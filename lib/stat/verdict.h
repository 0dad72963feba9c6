/*
 * verdict.h - from a change and its interval to one of six words.
 *
 * A comparison of one cell (board x case x metric x kernel) ends in a
 * `struct stat_result`. Two methods fill it:
 *
 *     welch.h   boards that are not deterministic: boots are the unit
 *     pairs.h   the deterministic board: boots paired by phase
 *
 * and a third case needs no numbers: stat_same_image().
 *
 *     struct stat_rule rule = stat_rule_default();
 *     rule.tau = stat_tau(0.01, floor);          floor: NAN when none is known
 *     struct stat_result r;
 *     stat_compare_boots(&base, &other, &rule, &r);
 *     r.verdict, r.change, r.low, r.high, r.why
 *
 * All of lib/stat is pure: no I/O, no JSON, no state, no randomness, and the
 * same facts give the same bits. Changes are fractions of the baseline: 0.146
 * is +14.6 %. NAN stands for "there is none" (JSON's null) everywhere.
 */
#ifndef FOLDWATCH_STAT_VERDICT_H
#define FOLDWATCH_STAT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

/* The words of the API, in the order in which a page lists them. For metrics
 * where less is better (all of ours today) `slower` means that the new number
 * is larger. Texts say "more/fewer instructions" for counts; JSON keeps these. */
enum verdict {
	VERDICT_SLOWER, /* the interval excludes 0 and the change is at least tau */
	VERDICT_FASTER,
	VERDICT_SAME,    /* the interval lies inside +-tau; never for want of data */
	VERDICT_UNSURE,  /* anything else, with the reason and the boots still needed */
	VERDICT_SKIP,    /* this kernel or board cannot run the case; `why` says so */
	VERDICT_INVALID, /* what ran could not be proved; `why` says so */
	VERDICT_COUNT
};

const char *verdict_name(enum verdict v); /* "slower", ... */
/* True and *v filled for one of the six words. */
bool verdict_parse(const char *word, enum verdict *v);

struct stat_pool;

/* What a verdict is measured against. */
struct stat_rule {
	double tau;    /* fraction > 0: smaller changes are of no interest or drown in the floor */
	double level;  /* of the two-sided interval, 0.95 */
	double power;  /* for the boots still needed: 0.8, or 0.9 where asked for */
	double wanted; /* the effect that must not be missed, a fraction; NAN: tau */
	bool more_is_better; /* throughputs: turns slower and faster round */
	/* What other kernels' boots on this board and case say of the spread
	 * (pool.h), for boards with noise; NULL: nothing. Borrowed. */
	const struct stat_pool *pool;
};
struct stat_rule stat_rule_default(void); /* tau 1 %, level .95, power .8, less is better */

/* max(threshold, floor); the floor of a board x case comes from boots of one
 * image and from relinked layouts, NAN while none is known. */
double stat_tau(double threshold, double floor);

#define STAT_WHY 256

/* Both medians' and means' figures of one cell. */
struct stat_result {
	double change;    /* of the medians; NAN for skip and invalid */
	double low, high; /* interval of the change; NAN: none can be had */
	double level;     /* what the interval covers: .95, or the signed-rank level of pairs.h */
	/* One-sided 95 %: worse (slower) by at most this fraction; negative: better
	 * by at least so much. NAN where low is. */
	double at_most;
	double mean_change;   /* the same change from the means of the iterations, or NAN */
	size_t base_n, new_n; /* boots that counted; on a deterministic board both are the pairs */
	double tau;           /* what it was judged against, where the caller notes it; else NAN */
	double se, df;        /* of ln(new/base) at boot level; NAN where not used */
	bool skewed;          /* |mean_change - change| > tau */
	bool pooled;          /* the rule's pool widened or narrowed the interval */
	enum verdict verdict;
	/* Unsure: boots (phases) a kernel still to be added, so that an effect of
	 * `wanted` is found with `power` (plan.h). Where those are in already and
	 * the change lies close to tau: those after which the interval would
	 * clear if change and spread stay as they are. -1: cannot be told. */
	long needed;
	char why[STAT_WHY]; /* one sentence, lower case, 7-bit; "" when the verdict needs none */
};

/* The rule alone. slower/faster wins where both hold (|change| == tau with an
 * interval of no width). Any NAN gives unsure. */
enum verdict stat_decide(double change, double low, double high, const struct stat_rule *rule);

/* Compare with the same cell computed from the means of the iterations: sets
 * mean_change and skewed; where both verdicts stand and contradict each other
 * (slower against faster) the cell becomes unsure, with that reason. */
void stat_skew(struct stat_result *r, const struct stat_result *from_means,
               const struct stat_rule *rule);

/* Both kernels are one binary (equal hash over all allocated sections): change
 * 0, same, no interval, whatever was measured. For the deterministic board; on
 * others such boots are A/A boots, which are measured and feed the floor. */
void stat_same_image(struct stat_result *r);

/* No number: skip or invalid with its reason (printf-like, cut at STAT_WHY). */
void stat_no_number(struct stat_result *r, enum verdict v, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

#endif
