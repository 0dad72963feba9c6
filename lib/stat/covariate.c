#include "lib/stat/covariate.h"

#include <math.h>

double stat_covariate_change(double base, double mean)
{
	return base > 0 && mean > 0 ? mean / base - 1 : NAN;
}

bool stat_layout_suspected(double instructions_change, double cycles_change, double tau)
{
	return fabs(instructions_change) <= STAT_SAME_INSTRUCTIONS && fabs(cycles_change) > tau;
}
