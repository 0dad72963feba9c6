/*
 * image.h - what an arm64 kernel image says about itself.
 *
 * Documentation/arch/arm64/booting.rst: a 64-byte header, magic "ARM\x64" at
 * byte 56, image_size at 16 (little-endian u64), flags at 24 (bits 1-2: page
 * size, 1 = 4K, 2 = 16K, 3 = 64K).
 */
#ifndef FOLDWATCH_IMAGE_H
#define FOLDWATCH_IMAGE_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define IMAGE_BUILD_IDS 16
#define BUILD_ID_HEX    65 /* up to 32 bytes; usually 20 */

struct image {
	uint64_t bytes;         /* of the file */
	uint64_t image_size;    /* what it will take in memory */
	unsigned int page_size; /* 4096, 16384, 65536, or 0 when it does not say */
	size_t build_id_count;
	/* Every GNU build-id note found in it. A kernel holds its own and its
	 * vDSO's: the running one must be among them. */
	char build_id[IMAGE_BUILD_IDS][BUILD_ID_HEX];
	char banner[256]; /* "Linux version ..." up to its newline, or "" */
};

/* ERR_INPUT with a sentence for what is no arm64 image, or one that is cut short (where
 * its EFI header tells its length); names gzip, ELF, x86 bzImage, EFI zboot and other files for
 * what they are. */
enum err image_probe(const char *path, struct image *img, struct why *w);

#endif
