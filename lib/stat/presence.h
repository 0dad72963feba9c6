/*
 * presence.h - something that shows in some boots and not in others: is it gone?
 *
 * It showed in k of n boots of kernels that have it. Of m boots without it since, how
 * probable is that row if it is still there at that rate? The rate is not known better than
 * k of n tell; with Jeffreys' prior, Beta(1/2, 1/2), it is Beta(k + 1/2, n - k + 1/2)
 * distributed, and over all rates
 *
 *     P(m without) = prod i = 0 .. m-1 of (n - k + 1/2 + i) / (n + 1 + i)
 *
 * (the beta-binomial predictive distribution: A. Gelman et al., "Bayesian Data Analysis",
 * 2.4, 2.8; H. Jeffreys, "An invariant form for the prior probability in estimation
 * problems", Proc. R. Soc. A 186, 1946). The first factor is 1 less the usual estimate
 * (k + 1/2) / (n + 1); the later ones grow, for each boot without it speaks for a low rate
 * as well. So what showed once in seven boots takes 43, not the 15 that 1.5 / 8 taken
 * for the truth would ask for, and what showed in all takes the least there is:
 *
 *     k of n      1 of 1   5 of 5   4 of 5   2 of 7   1 of 5   1 of 7   1 of 40
 *     boots            5        3        3       15       31       43       200
 */
#ifndef FOLDWATCH_STAT_PRESENCE_H
#define FOLDWATCH_STAT_PRESENCE_H

#include <stddef.h>

#define STAT_GONE_CHANCE .05 /* less probable than that: it is gone */
#define STAT_GONE_MIN    3   /* boots, however often it showed */
#define STAT_GONE_MAX    200 /* boots, however seldom: nobody waits for more */

/* P(m without); NAN where showed is 0 or above boots. */
double stat_still_there(size_t showed, size_t boots, size_t without);
/* The least m, MIN to MAX, whose P is below CHANCE; MAX where there is none. 0: showed is 0
 * or above boots, so that there is nothing to tell from. */
size_t stat_gone_after(size_t showed, size_t boots);

#endif
