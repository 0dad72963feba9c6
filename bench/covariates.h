/*
 * covariates.h - what hardware counted in windows of their own, behind the timed ones:
 * instructions, cycles, branch misses, L1I refills, walks of the data TLB.
 *
 *     covariates_open(&c, m, &w);       false: there are none, with the reason
 *     ... windows, as for time ...
 *     covariates_take(&c, &w);          after each; false: dropped, with the reason
 *     covariates_emit(&c, e);           their medians
 *     covariates_close(&c);
 *
 * One group of events: all of them count in the same windows or none does, and a group
 * that had to share its counters is dropped, never scaled. Events that this CPU has
 * not, or that do not fit the group any more, are left out. While the group is open
 * the meter reads it instead of the clock, so the cases' windows stay as they are.
 */
#ifndef FOLDBENCH_COVARIATES_H
#define FOLDBENCH_COVARIATES_H

#include "bench/emit.h"
#include "bench/meter.h"

#define COVARIATE_WINDOWS 5

struct covariates {
	struct meter *meter;
	int fd[METER_COUNTERS];    /* the first leads the group */
	int which[METER_COUNTERS]; /* which event fd[i] counts */
	uint32_t events, taken;
	uint64_t empty[METER_COUNTERS];
	uint64_t value[METER_COUNTERS][COVARIATE_WINDOWS];
	bool tried;
	struct reason why; /* there are none; "" when there are */
};

bool covariates_open(struct covariates *c, struct meter *m, struct reason *w);
bool covariates_take(struct covariates *c, struct reason *w);
void covariates_close(struct covariates *c);
/* Adds "covariates": {"windows":5,"instructions":...} or {"why":...}; nothing when they
 * were not tried. */
void covariates_emit(const struct covariates *c, struct emit *e);

#endif
