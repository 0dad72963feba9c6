/* presence.c - is what showed in some boots gone? */
#include "lib/stat/presence.h"

#include <math.h>
#include <stdbool.h>

static bool can_tell(size_t showed, size_t boots)
{
	return showed && showed <= boots;
}

/* P(m + 1 without) over P(m without). */
static double factor(size_t showed, size_t boots, size_t m)
{
	return ((double)(boots - showed) + .5 + (double)m) / ((double)boots + 1 + (double)m);
}

double stat_still_there(size_t showed, size_t boots, size_t without)
{
	double p = 1;

	if (!can_tell(showed, boots))
		return NAN;
	for (size_t m = 0; m < without && p > 0; m++)
		p *= factor(showed, boots, m);
	return p;
}

size_t stat_gone_after(size_t showed, size_t boots)
{
	double p = 1;
	size_t m = 0;

	if (!can_tell(showed, boots))
		return 0;
	while (m < STAT_GONE_MAX && (m < STAT_GONE_MIN || p >= STAT_GONE_CHANCE))
		p *= factor(showed, boots, m++);
	return m;
}
