#include "lib/test/simulate.h"

#include "lib/mem.h"
#include "lib/stat/number.h"

#include <gsl/gsl_randist.h>
#include <math.h>

enum { WARMUP = 1 };

#define NOMINAL 1e7 /* ns: samples are whole numbers, as in real life */

void simulate(gsl_rng *rng, size_t boots, double effect, struct sim_kernel *k)
{
	for (size_t b = 0; b < boots; b++) {
		double level = NOMINAL * (1 + effect) * (1 + gsl_ran_gaussian(rng, SIM_SD_BOOT));

		for (size_t r = 0; r < SIM_RUNS; r++) {
			double own = level * (1 + gsl_ran_gaussian(rng, SIM_SD_RUN));
			size_t run = b * SIM_RUNS + r;
			int64_t sample[WARMUP + SIM_ITERATIONS];

			sample[0] = (int64_t)(own * 3); /* the first is an outlier, and left out */
			for (size_t i = 0; i < SIM_ITERATIONS; i++) {
				sample[WARMUP + i] = llround(
				        own * (1 + gsl_ran_gaussian(rng, SIM_SD_ITERATION)));
				k->pooled[run * SIM_ITERATIONS + i] = (double)sample[WARMUP + i];
			}
			k->run[run] = stat_run_number(sample, ARRAY_SIZE(sample), WARMUP).median;
		}
		k->boot[b] = stat_boot_number(k->run + b * SIM_RUNS, SIM_RUNS);
	}
}
