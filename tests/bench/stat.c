/*
 * stat.c - the statistics: how fast, and how often they are wrong.
 *
 * Speed is this process's own: one core, no input or output. How often they are
 * wrong is counted on simulated kernels (lib/test/simulate.h) at 5 boots a
 * kernel, with a seed that does not change.
 */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/stat/history.h"
#include "lib/stat/number.h"
#include "lib/stat/welch.h"
#include "lib/test/simulate.h"

#include <gsl/gsl_randist.h>
#include <stdlib.h>

#define LONG        100000
#define TURNS       300
#define BOOTS       10
#define RUNS        8
#define ITERATIONS  100
#define COMPARISONS 500
#define SIMULATED   2000
#define SIM_BOOTS   5

/* ---- series */

/* A level that changes by 3 % every 100 points, one part in two hundred noise. */
static double *series(gsl_rng *rng, size_t n)
{
	double *x = xcalloc(n, sizeof(*x));

	for (size_t i = 0; i < n; i++)
		x[i] = 1e6 * (i / 100 % 2 ? 1.03 : 1) * exp(gsl_ran_gaussian(rng, .005));
	return x;
}

static double ms_since(int64_t begin)
{
	return (double)(clock_mono_ns() - begin) / 1e6;
}

/* Appends in turn to both, so that what else runs weighs on both alike. */
static void appends(const double *x)
{
	static const size_t have[2] = {STAT_WINDOW, LONG};
	double took[2][TURNS], median[2];

	for (size_t turn = 0; turn < TURNS; turn++)
		for (size_t i = 0; i < 2; i++) {
			struct stat_history h;
			int64_t begin = clock_mono_ns();

			stat_history_newest(x, have[i] - turn % 64, .01, &h);
			took[i][turn] = ms_since(begin);
			stat_history_release(&h);
		}
	for (size_t i = 0; i < 2; i++)
		median[i] = quantile(took[i], TURNS, .5);
	report(&(struct figure){"stat_append_400", median[0], "ms", NAN, NULL, NO_BOUND, 0});
	report(&(struct figure){"stat_append_100000", median[1], "ms", median[1] / median[0],
	                        "appending at 400 points", NO_BOUND, 0});
}

static void whole(const double *x)
{
	int64_t begin = clock_mono_ns();
	struct stat_history h;
	double s;

	stat_history(x, LONG, .01, &h);
	s = ms_since(begin) / 1e3;
	report(&(struct figure){"stat_series", LONG / s, "points/s", NAN, NULL, NO_BOUND, 0});
	report(&(struct figure){"stat_changes", (double)h.changes / s, "changes/s", NAN, NULL,
	                        NO_BOUND, 0});
	stat_history_release(&h);
}

/* ---- comparisons */

static void boots_of(const int64_t *sample, double *median, double *mean)
{
	for (size_t b = 0; b < BOOTS; b++) {
		double medians[RUNS], means[RUNS];

		for (size_t r = 0; r < RUNS; r++) {
			struct stat_run n = stat_run_number(sample + (b * RUNS + r) * ITERATIONS,
			                                    ITERATIONS, 1);

			medians[r] = n.median;
			means[r] = n.mean;
		}
		median[b] = stat_boot_number(medians, RUNS);
		mean[b] = stat_boot_number(means, RUNS);
	}
}

/* From raw samples of two kernels to the verdict. */
static void comparisons(gsl_rng *rng)
{
	const size_t n = (size_t)BOOTS * RUNS * ITERATIONS;
	int64_t *sample[2], begin;
	struct stat_rule rule = stat_rule_default();
	double median[2][BOOTS], mean[2][BOOTS], s;

	for (size_t k = 0; k < 2; k++) {
		sample[k] = xcalloc(n, sizeof(**sample));
		for (size_t i = 0; i < n; i++)
			sample[k][i] = llround(1e6 * exp(gsl_ran_gaussian(rng, .01)));
	}
	begin = clock_mono_ns();
	for (int i = 0; i < COMPARISONS; i++) {
		struct stat_side a = {.median = median[0], .mean = mean[0], .n = BOOTS};
		struct stat_side b = {.median = median[1], .mean = mean[1], .n = BOOTS};
		struct stat_result r;

		boots_of(sample[0], median[0], mean[0]);
		boots_of(sample[1], median[1], mean[1]);
		stat_compare_boots(&a, &b, &rule, &r);
	}
	s = ms_since(begin) / 1e3;
	report(&(struct figure){"stat_comparisons", COMPARISONS / s, "1/s", NAN,
	                        "10 boots x 8 runs x 100 iterations a kernel", NO_BOUND, 0});
	free(sample[0]);
	free(sample[1]);
}

/* ---- how often it is wrong */

static double alarms(gsl_rng *rng, double effect)
{
	static struct sim_kernel base, other;
	struct stat_rule rule = stat_rule_default();
	size_t n = 0;

	for (int i = 0; i < SIMULATED; i++) {
		struct stat_side a = {.median = base.boot, .n = SIM_BOOTS};
		struct stat_side b = {.median = other.boot, .n = SIM_BOOTS};
		struct stat_result r;

		simulate(rng, SIM_BOOTS, 0, &base);
		simulate(rng, SIM_BOOTS, effect, &other);
		stat_compare_boots(&a, &b, &rule, &r);
		n += r.low > 0 || r.high < 0;
	}
	return (double)n / SIMULATED;
}

static void simulated(gsl_rng *rng)
{
	report(&(struct figure){"stat_false_alarms", alarms(rng, 0), "of 1", NAN,
	                        "equal kernels, 5 boots, intervals at 95 %", NO_BOUND, 0});
	report(&(struct figure){"stat_power", alarms(rng, .01), "of 1", NAN, "1 % slower, 5 boots",
	                        NO_BOUND, 0});
}

void bench_stat(void)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double *x;

	gsl_rng_set(rng, 20240202);
	x = series(rng, LONG);
	whole(x);
	appends(x);
	comparisons(rng);
	simulated(rng);
	free(x);
	gsl_rng_free(rng);
}
