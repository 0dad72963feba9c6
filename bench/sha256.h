/*
 * sha256.h - SHA-256 (FIPS 180-4), for what is too long for a result: foldbench
 * links libc alone.
 *
 *     sha256_init(&h);
 *     sha256_add(&h, data, len);      in parts at will
 *     sha256_hex(&h, hex);            ends it
 */
#ifndef FOLDBENCH_SHA256_H
#define FOLDBENCH_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX_SIZE 65

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	unsigned char block[64];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
/* 64 lower-case digits and a NUL. */
void sha256_hex(struct sha256 *h, char out[SHA256_HEX_SIZE]);

#endif
