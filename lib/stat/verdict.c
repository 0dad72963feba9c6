#include "lib/stat/verdict.h"

#include "lib/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const words[VERDICT_COUNT] = {
        [VERDICT_SLOWER] = "slower", [VERDICT_FASTER] = "faster", [VERDICT_SAME] = "same",
        [VERDICT_UNSURE] = "unsure", [VERDICT_SKIP] = "skip",     [VERDICT_INVALID] = "invalid",
};

const char *verdict_name(enum verdict v)
{
	return (unsigned int)v < VERDICT_COUNT ? words[v] : "invalid";
}

bool verdict_parse(const char *word, enum verdict *v)
{
	for (int i = 0; i < VERDICT_COUNT; i++) {
		if (word && strcmp(word, words[i]) == 0) {
			*v = (enum verdict)i;
			return true;
		}
	}
	return false;
}

struct stat_rule stat_rule_default(void)
{
	return (struct stat_rule){.tau = 0.01, .level = 0.95, .power = 0.8, .wanted = NAN};
}

double stat_tau(double threshold, double floor)
{
	return fmax(threshold, floor); /* of a number and a NAN: the number */
}

enum verdict stat_decide(double change, double low, double high, const struct stat_rule *rule)
{
	if (isnan(change) || isnan(low) || isnan(high) || isnan(rule->tau))
		return VERDICT_UNSURE;
	if ((low > 0 || high < 0) && fabs(change) >= rule->tau)
		return (change > 0) != rule->more_is_better ? VERDICT_SLOWER : VERDICT_FASTER;
	if (low >= -rule->tau && high <= rule->tau)
		return VERDICT_SAME;
	return VERDICT_UNSURE;
}

static void say(struct stat_result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct stat_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

static bool contradict(enum verdict a, enum verdict b)
{
	return (a == VERDICT_SLOWER && b == VERDICT_FASTER) ||
	       (a == VERDICT_FASTER && b == VERDICT_SLOWER);
}

void stat_skew(struct stat_result *r, const struct stat_result *from_means,
               const struct stat_rule *rule)
{
	r->mean_change = from_means->change;
	/* false for NAN: nothing to compare, nothing to mark */
	r->skewed = fabs(r->mean_change - r->change) > rule->tau;
	if (!r->skewed || !contradict(r->verdict, from_means->verdict))
		return;
	r->verdict = VERDICT_UNSURE;
	r->needed = -1; /* more boots do not mend it: median and mean answer different questions */
	say(r, "the median of the iterations says %+.2f%%, their mean %+.2f%%", 100 * r->change,
	    100 * r->mean_change);
}

static void clear(struct stat_result *r)
{
	*r = (struct stat_result){
	        .change = NAN,
	        .low = NAN,
	        .high = NAN,
	        .level = NAN,
	        .at_most = NAN,
	        .mean_change = NAN,
	        .tau = NAN,
	        .se = NAN,
	        .df = NAN,
	        .needed = -1,
	};
}

void stat_same_image(struct stat_result *r)
{
	clear(r);
	r->change = 0;
	r->mean_change = 0;
	r->verdict = VERDICT_SAME;
	say(r, "the two images are one binary");
}

void stat_no_number(struct stat_result *r, enum verdict v, const char *fmt, ...)
{
	va_list ap;

	clear(r);
	r->verdict = v;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}
