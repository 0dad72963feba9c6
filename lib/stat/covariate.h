/*
 * covariate.h - what hardware counted beside the time, and what it says of a change.
 *
 * The same instructions in other cycles is the mark of a kernel that was laid out
 * otherwise by its linker: aligned differently, in other cache sets. Relinking one
 * source moved figures by several per cent.
 */
#ifndef FOLDWATCH_STAT_COVARIATE_H
#define FOLDWATCH_STAT_COVARIATE_H

#include <stdbool.h>

/* Instruction counts of one code differ by less on real machines, where interrupts and
 * retries fall into windows. */
#define STAT_SAME_INSTRUCTIONS 0.001

/* mean / base - 1; NAN unless both are above 0. */
double stat_covariate_change(double base, double mean);
/* Instructions that changed by less than STAT_SAME_INSTRUCTIONS, and cycles by more than
 * tau. False where either is NAN. */
bool stat_layout_suspected(double instructions_change, double cycles_change, double tau);

#endif
