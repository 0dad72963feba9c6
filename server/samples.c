/* samples.c - packing samples, and their numbers. */
#include "server/samples.h"

#include "lib/mem.h"
#include "lib/stat/number.h"
#include "lib/zst.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Counts of one case differ in few bytes: the fast levels find that as well as
 * the others, in half the time of level 1. */
#define LEVEL (-1)

struct zst_packer *samples_packer(void)
{
	return zst_packer_new(LEVEL);
}

enum err samples_pack(struct zst_packer *z, struct pool *p, const int64_t *v, size_t count,
                      const void **out, size_t *len, struct why *w)
{
	uint64_t *le = xcalloc(count ? count : 1, sizeof(*le));
	struct buf b;
	size_t i;
	enum err e;

	for (i = 0; i < count; i++)
		le[i] = htole64((uint64_t)v[i]);
	buf_init(&b, count * sizeof(*le) + 4096);
	e = zst_packer_add(z, le, count * sizeof(*le), &b, w);
	if (e == OK) {
		*out = pool_copy(p, b.data, b.len);
		*len = b.len;
	}
	buf_release(&b);
	free(le);
	return e;
}

enum err samples_unpack(struct pool *p, const void *data, size_t len, int64_t **out, size_t *count,
                        struct why *w)
{
	struct buf b;
	uint64_t le;
	size_t i;
	enum err e;

	buf_init(&b, SAMPLES_MAX * sizeof(le));
	e = zst_unpack(data, len, &b, w);
	if (e == OK && b.len % sizeof(le))
		e = err_set(w, ERR_INTERNAL, "stored samples are torn");
	if (e == OK) {
		*count = b.len / sizeof(le);
		*out = pool_alloc(p, b.len);
		for (i = 0; i < *count; i++) {
			memcpy(&le, b.data + i * sizeof(le), sizeof(le));
			(*out)[i] = (int64_t)le64toh(le);
		}
	}
	buf_release(&b);
	return e;
}

void samples_number(const int64_t *v, size_t count, size_t warmup, struct run_row *r)
{
	struct stat_run n = stat_run_number(v, count, warmup);
	double windows = r->windows > 1 ? (double)r->windows : 1, sum = 0;
	size_t i;

	r->iterations = (int64_t)n.iterations;
	r->median = n.median / windows;
	r->mean = n.mean / windows;
	r->sd = NAN;
	if (n.iterations < 2)
		return;
	for (i = warmup; i < count; i++) {
		double d = (double)v[i] - n.mean;

		sum += d * d;
	}
	r->sd = sqrt(sum / (double)(n.iterations - 1)) / windows;
}
