/*
 * inside.h - what welch.c and pairs.c share; not for others.
 */
#ifndef FOLDWATCH_STAT_INSIDE_H
#define FOLDWATCH_STAT_INSIDE_H

#include "lib/stat/verdict.h"

/* A finite number above 0. */
bool stat_has_log(double x);

/* struct stat_result.needed for an unsure cell with `have` boots or pairs and
 * spread `sd` (ln; of a boot, or of the pairs' differences). */
long stat_still_needed(double change, double sd, size_t have, size_t min, bool paired,
                       const struct stat_rule *rule);

/* The reason of an unsure verdict that has an interval, with the boots (or
 * "phase"s) still needed. */
void stat_say_unsure(struct stat_result *r, const struct stat_rule *rule, const char *unit);

#endif
