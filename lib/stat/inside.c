#include "lib/stat/inside.h"

#include "lib/stat/plan.h"

#include <math.h>
#include <stdio.h>

bool stat_has_log(double x)
{
	return isfinite(x) && x > 0;
}

long stat_still_needed(double change, double sd, size_t have, size_t min, bool paired,
                       const struct stat_rule *rule)
{
	double wanted = isnan(rule->wanted) ? rule->tau : rule->wanted;
	double size = fabs(change);
	double margin = size >= rule->tau ? size : rule->tau - size;
	long total = stat_boots_needed(sd, wanted, rule->level, rule->power, paired, min);

	/* Enough for the wanted effect, and still undecided: a power of one half
	 * asks for nothing but the interval's half-width to fit the margin. */
	if (total >= 0 && (size_t)total <= have)
		total = stat_boots_needed(sd, margin, rule->level, 0.5, paired, have + 1);
	return total < 0 ? -1 : total - (long)have;
}

void stat_say_unsure(struct stat_result *r, const struct stat_rule *rule, const char *unit)
{
	bool off_zero = r->low > 0 || r->high < 0;
	double tau = 100 * rule->tau;
	int n;

	if (off_zero)
		n = snprintf(r->why, sizeof(r->why),
		             "there is a change, but not surely one of %.3g%% or more", tau);
	else
		n = snprintf(r->why, sizeof(r->why),
		             "the interval holds both no change and one of more than %.3g%%", tau);
	if (r->needed > 0 && n > 0 && (size_t)n < sizeof(r->why))
		snprintf(r->why + n, sizeof(r->why) - (size_t)n, "; about %ld more %s%s a kernel",
		         r->needed, unit, r->needed == 1 ? "" : "s");
}
