/*
 * zst.h - zstd in one call, for console logs and samples.
 */
#ifndef FOLDWATCH_ZST_H
#define FOLDWATCH_ZST_H

#include "lib/buf.h"
#include "lib/err.h"

/* Append the compressed frame of data to out. */
enum err zst_pack(const void *data, size_t len, int level, struct buf *out, struct why *w);
/* The same for many small frames: what one needs to set up serves all. Belongs
 * to one thread. */
struct zst_packer;
struct zst_packer *zst_packer_new(int level);
enum err zst_packer_add(struct zst_packer *z, const void *data, size_t len, struct buf *out,
                        struct why *w);
void zst_packer_free(struct zst_packer *z);
/* Append the content of one frame; its size must stand in the frame and fit
 * out->max, or ERR_TOO_LARGE. Torn or foreign bytes are ERR_INPUT. */
enum err zst_unpack(const void *data, size_t len, struct buf *out, struct why *w);

#endif
