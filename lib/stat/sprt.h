/*
 * sprt.h - is a kernel as good as one end of a range, or as bad as the other? Asked boot
 * by boot, so that no more are made than it takes.
 *
 * A. Wald, "Sequential Tests of Statistical Hypotheses", Ann. Math. Statist. 16 (1945): with
 * the log-likelihood ratio
 *
 *     llr = ln( p(x | as bad) / p(x | as good) )
 *
 * stop with "bad" at ln((1 - beta) / alpha) or above, with "good" at ln(beta / (1 - alpha))
 * or below, and take more boots in between. alpha is then at most about the share of good
 * kernels that are called bad, beta of bad ones that are called good.
 *
 * On a deterministic board boots are paired by phase. With d_i = ln(bad / good) and
 * y_i = ln(x / good) in phase i, y is N(0, s^2) of a good kernel, N(d_i, s^2) of a bad one:
 *
 *     llr = sum( y_i^2 - (y_i - d_i)^2 ) / (2 s^2)
 *
 * A commit that only moves text moves the count as well, so s is never under the floor that
 * the caller gives.
 *
 * On a board with noise neither levels nor spread are known better than the few boots of
 * the ends tell. With flat priors of both levels and of ln s the predictive densities give,
 * with y = ln(a boot's number), the sums of squares about each kernel's own mean SS, and
 * nu = n_good + n_bad + n - 3,
 *
 *     llr = 1/2 ln(v_good / v_bad) - (nu + 1)/2 ln( (SS + (m - m_bad)^2 / v_bad) /
 *                                                   (SS + (m - m_good)^2 / v_good) )
 *     v_good = 1/n + 1/n_good,  v_bad = 1/n + 1/n_bad
 *
 * which is the ratio of two t densities (A. Gelman et al., "Bayesian Data Analysis", 3.2):
 * few boots at the ends make it slow, not wrong. SS is never under nu * floor^2. Where the
 * linker's luck is known to move a kernel by `shift` (a standard deviation of a difference,
 * which all boots of a link share), shift^2 nu / SS is added to either v.
 *
 * A kernel may be neither: of two commits that each add half, the first is between. Where
 * its level lies in the middle (.2 to .8 of the way) and p < .001 against either end, it is
 * `between`, and which half it is in decides.
 */
#ifndef FOLDWATCH_STAT_SPRT_H
#define FOLDWATCH_STAT_SPRT_H

#include <stdbool.h>
#include <stddef.h>

enum sprt_answer { SPRT_OPEN, SPRT_GOOD, SPRT_BAD };

struct sprt_rule {
	double alpha, beta; /* above 0, below 1/2 */
	double floor;       /* least spread, of ln; above 0 */
	double shift;       /* stat_sprt_boots(): of ln; 0: none is known */
};

struct sprt {
	enum sprt_answer answer;
	bool between;
	double llr;   /* NAN: there is nothing to tell from */
	double level; /* 0: as good, 1: as bad; NAN as llr */
	double sd;    /* spread that it rests on, of ln */
	size_t n;     /* boots or phases that it rests on */
};

double stat_sprt_upper(const struct sprt_rule *r);
double stat_sprt_lower(const struct sprt_rule *r);
/* Evidence that is as strong as the answer's: P(it is right) where both were as likely. */
double stat_sprt_sure(double llr);

/* n phases that all three have; numbers above 0. */
struct sprt stat_sprt_phases(const double *good, const double *bad, const double *x, size_t n,
                             const struct sprt_rule *r);
/* Any number of boots of each; under 2 of an end, or none of x, it stays open. */
struct sprt stat_sprt_boots(const double *good, size_t ngood, const double *bad, size_t nbad,
                            const double *x, size_t n, const struct sprt_rule *r);

#endif
