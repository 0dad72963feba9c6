/* What pooling does, simulated with the shipped code: boots, runs and iterations
 * each have their own spread, the kernels are equal, and the question is how
 * often a method says otherwise at a nominal 5 %.
 *
 *     M = 5 runs, N = 30 iterations, sd of boot 0.5 %, run 0.3 %, iteration 1 %
 *     method                       R=3    R=5    R=10
 *     iterations pooled, t         0.7    0.75   0.7
 *     runs as the unit, t          .38    .35    .33
 *     boots as the unit, Welch     .03    .06    .04
 *
 * One fixed seed; bounds are three standard errors of the simulation and more. */
#include "lib/mem.h"
#include "lib/stat/number.h"
#include "lib/stat/pairs.h"
#include "lib/stat/plan.h"
#include "lib/test/simulate.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { ROUNDS = 1500 };

/* Does a t interval over these values, taken as independent, exclude 0? */
static bool alarm(const double *a, const double *b, size_t n)
{
	struct stat_welch w;

	assert_true(stat_welch(a, n, b, n, &w));
	return fabs(w.delta) > gsl_cdf_tdist_Pinv(.975, w.df) * w.se;
}

struct rates {
	double pooled, runs, boots, verdicts, same;
};

static struct rates measure(gsl_rng *rng, size_t boots, double effect)
{
	static struct sim_kernel base, other;
	struct rates n = {0};
	struct stat_rule rule = stat_rule_default();

	for (int i = 0; i < ROUNDS; i++) {
		struct stat_side sb = {.median = base.boot, .n = boots};
		struct stat_side so = {.median = other.boot, .n = boots};
		struct stat_result r;

		simulate(rng, boots, 0, &base);
		simulate(rng, boots, effect, &other);
		n.pooled += alarm(base.pooled, other.pooled, boots * SIM_RUNS * SIM_ITERATIONS);
		n.runs += alarm(base.run, other.run, boots * SIM_RUNS);
		stat_compare_boots(&sb, &so, &rule, &r);
		n.boots += r.low > 0 || r.high < 0;
		n.verdicts += r.verdict == VERDICT_SLOWER || r.verdict == VERDICT_FASTER;
		n.same += r.verdict == VERDICT_SAME;
	}
	n.pooled /= ROUNDS;
	n.runs /= ROUNDS;
	n.boots /= ROUNDS;
	n.verdicts /= ROUNDS;
	n.same /= ROUNDS;
	print_message("# R=%-2zu effect %+.1f%%: pooled %.3f, runs %.3f, boots %.3f; "
	              "verdicts %.3f, same %.3f\n",
	              boots, 100 * effect, n.pooled, n.runs, n.boots, n.verdicts, n.same);
	return n;
}

#define BETWEEN(x, low, high)                                                                   \
	do {                                                                                    \
		if (!((x) >= (low) && (x) <= (high)))                                           \
			fail_msg("%s is %.4f, not in [%g, %g]", #x, (double)(x), (double)(low), \
			         (double)(high));                                               \
	} while (0)

static void equal_kernels(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	static const size_t boots[] = {2, 3, 5, 10};

	(void)state;
	gsl_rng_set(rng, 20240202);
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		struct rates r = measure(rng, boots[i], 0);

		BETWEEN(r.pooled, .65, .80);
		BETWEEN(r.runs, .28, .43);
		/* two boots make a table, not a verdict: there is no interval */
		if (boots[i] < STAT_BOOTS_MIN) {
			assert_true(r.boots == 0 && r.verdicts == 0 && r.same == 0);
			continue;
		}
		BETWEEN(r.boots, .02, .066);
		/* tau on top: a verdict needs a change of 1 % as well */
		assert_true(r.verdicts <= r.boots);
		BETWEEN(r.verdicts, 0, .04);
	}
	gsl_rng_free(rng);
}

static void one_per_cent_slower(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct rates five, ten;

	(void)state;
	gsl_rng_set(rng, 20240202);
	five = measure(rng, 5, .01);
	ten = measure(rng, 10, .01);
	BETWEEN(five.boots, .69, .79);
	BETWEEN(ten.boots, .965, 1);
	/* a change of the size of tau is not called the same for want of data */
	BETWEEN(five.same, 0, .03);
	BETWEEN(ten.same, 0, .03);
	gsl_rng_free(rng);
}

/* The boots that the plan asks for do give the power that it promises. */
static void planned_boots_have_the_power(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double sd_run = sqrt(SIM_SD_RUN * SIM_SD_RUN +
	                     M_PI / 2 * SIM_SD_ITERATION * SIM_SD_ITERATION / SIM_ITERATIONS);
	double sd = sqrt(SIM_SD_BOOT * SIM_SD_BOOT + sd_run * sd_run / SIM_RUNS);
	long boots = stat_boots_needed(sd, .01, .95, .8, false, STAT_BOOTS_MIN);
	struct rates r;

	(void)state;
	gsl_rng_set(rng, 20240202);
	assert_in_range(boots, 5, 8);
	r = measure(rng, (size_t)boots, .01);
	BETWEEN(r.boots, .77, .9);
	gsl_rng_free(rng);
}

/* The paired interval covers the truth as often as its ranks promise, whatever
 * the phases do to both kernels alike. */
static void pairs_cover_the_truth(void **state)
{
	static const int64_t phase[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct stat_rule rule = stat_rule_default();

	(void)state;
	gsl_rng_set(rng, 20240202);
	for (size_t n = 6; n <= 8; n++) {
		double covered = 0, bound = 0, level = 0, width = 0;

		for (int i = 0; i < 4000; i++) {
			double base[8], other[8];
			struct stat_side b = {.median = base, .phase = phase, .n = n};
			struct stat_side o = {.median = other, .phase = phase, .n = n};
			struct stat_result r;

			for (size_t k = 0; k < n; k++) {
				base[k] = 1e6 * (1 + .05 * gsl_rng_uniform(rng));
				other[k] = base[k] * 1.003 * exp(gsl_ran_gaussian(rng, .0005));
			}
			stat_compare_phases(&b, &o, &rule, &r);
			covered += r.low <= .003 && .003 <= r.high;
			bound += .003 <= r.at_most;
			width += r.high - r.low;
			level = r.level;
		}
		print_message("# %zu pairs: covered %.4f of %.4f, bound %.4f, width %.5f\n", n,
		              covered / 4000, level, bound / 4000, width / 4000);
		BETWEEN(covered / 4000, level - .01, level + .01);
		BETWEEN(bound / 4000, .94, .98);
		/* the phases' 5 % are gone: pairing is what makes it sharp */
		BETWEEN(width / 4000, 0, .003);
	}
	gsl_rng_free(rng);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(equal_kernels),
	        cmocka_unit_test(one_per_cent_slower),
	        cmocka_unit_test(planned_boots_have_the_power),
	        cmocka_unit_test(pairs_cover_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
