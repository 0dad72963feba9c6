/*
 * simulate.h - kernels whose truth is known: boots of runs of iterations, each
 * level with a spread of its own.
 *
 *     5 runs of 30 iterations after a warm-up; standard deviations of 0.5 % (boot),
 *     0.3 % (run) and 1 % (iteration); whole numbers about 1e7
 */
#ifndef FOLDWATCH_TEST_SIMULATE_H
#define FOLDWATCH_TEST_SIMULATE_H

#include <gsl/gsl_rng.h>
#include <stddef.h>

enum { SIM_RUNS = 5, SIM_ITERATIONS = 30, SIM_BOOTS_MAX = 10 };

#define SIM_SD_BOOT      .005
#define SIM_SD_RUN       .003
#define SIM_SD_ITERATION .01

struct sim_kernel {
	double pooled[SIM_BOOTS_MAX * SIM_RUNS * SIM_ITERATIONS];
	double run[SIM_BOOTS_MAX * SIM_RUNS]; /* medians */
	double boot[SIM_BOOTS_MAX];
};

/* `boots` boots (at most SIM_BOOTS_MAX) of a kernel that is slower by the
 * fraction `effect`. */
void simulate(gsl_rng *rng, size_t boots, double effect, struct sim_kernel *k);

#endif
