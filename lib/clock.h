/*
 * clock.h - durations are monotonic, times are the wall's.
 */
#ifndef FOLDWATCH_CLOCK_H
#define FOLDWATCH_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* CLOCK_MONOTONIC in nanoseconds: for every duration and deadline. */
int64_t clock_mono_ns(void);
/* CLOCK_REALTIME in milliseconds since 1970: for times that people read, and
 * only on the server; an agent's wall clock is never trusted. */
int64_t clock_wall_ms(void);
/* "2024-02-02T08:07:56Z" into out (at least 21 bytes). */
void clock_iso(int64_t wall_ms, char *out, size_t size);
/* "1 h 02 m", "3 m 07 s", "12 s": for people. */
void clock_words(int64_t duration_ns, char *out, size_t size);

/* Exponential back-off with full jitter: the pause before try number `n`
 * (0 = the first retry) lies evenly in [base/2, base] * 2^n, capped at `cap`.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
int64_t clock_backoff_ms(unsigned int n, int64_t base_ms, int64_t cap_ms);

#endif
