#include "lib/clock.h"

#include "lib/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

static int64_t now_ns(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) != 0)
		err_bug("clock %d does not tell the time", (int)id);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_mono_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return now_ns(CLOCK_REALTIME) / NS_PER_MS;
}

void clock_iso(int64_t wall_ms, char *out, size_t size)
{
	/* round down before 1970 too */
	int64_t s = wall_ms / 1000 - (wall_ms % 1000 < 0 ? 1 : 0);
	time_t t = (time_t)s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		snprintf(out, size, "-");
	else
		snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		         tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void clock_words(int64_t duration_ns, char *out, size_t size)
{
	/* a unit with the one below it; the larger fits when its seconds do */
	static const struct {
		int64_t seconds, below;
		const char *unit, *unit_below;
	} scales[] = {
	        {86400, 3600, "d", "h"},
	        {3600, 60, "h", "m"},
	        {60, 1, "m", "s"},
	};
	const char *sign = duration_ns <= -NS_PER_S ? "-" : "";
	int64_t s = duration_ns / NS_PER_S;

	if (s < 0)
		s = -s;
	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
		if (s < scales[i].seconds)
			continue;
		snprintf(out, size, "%s%" PRId64 " %s %02" PRId64 " %s", sign,
		         s / scales[i].seconds, scales[i].unit,
		         s % scales[i].seconds / scales[i].below, scales[i].unit_below);
		return;
	}
	snprintf(out, size, "%s%" PRId64 " s", sign, s);
}

int64_t clock_backoff_ms(unsigned int n, int64_t base_ms, int64_t cap_ms)
{
	int64_t top = base_ms;
	uint64_t dice = 0;

	if (base_ms < 0 || cap_ms < 0)
		err_bug("back-off from %" PRId64 " to %" PRId64 " ms", base_ms, cap_ms);
	for (unsigned int i = 0; i < n && top < cap_ms && top > 0; i++)
		top = top > INT64_MAX / 2 ? cap_ms : top * 2;
	if (top > cap_ms)
		top = cap_ms;
	/* Jitter lies below the cap as well: clients that all reached the cap
	 * must not come back together. Without randomness the pause is the
	 * shortest one, which is still a pause. */
	if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != (ssize_t)sizeof(dice))
		dice = 0;
	return top - top / 2 + (int64_t)(dice % ((uint64_t)(top / 2) + 1));
}
