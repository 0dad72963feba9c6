/*
 * samples.h - a run's samples as they are stored: a zstd frame of
 * little-endian 64-bit integers in the order taken. And the numbers of a run.
 */
#ifndef FOLDWATCH_SERVER_SAMPLES_H
#define FOLDWATCH_SERVER_SAMPLES_H

#include "lib/zst.h"
#include "server/store_boot.h"

#define SAMPLES_MAX 101000 /* a run's iterations and warm-up (docs/foldbench-format.md) */

struct zst_packer *samples_packer(void); /* zst_packer_free() it */
enum err samples_pack(struct zst_packer *z, struct pool *p, const int64_t *v, size_t count,
                      const void **out, size_t *len, struct why *w);
enum err samples_unpack(struct pool *p, const void *data, size_t len, int64_t **out, size_t *count,
                        struct why *w);
/* r->median, mean, sd, iterations from a valid run's samples, of one of r->windows. */
void samples_number(const int64_t *v, size_t count, size_t warmup, struct run_row *r);

#endif
