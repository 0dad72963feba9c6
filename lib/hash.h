/*
 * hash.h - SHA-256, HMAC, CRC-32, random bytes and comparison in constant time.
 */
#ifndef FOLDWATCH_HASH_H
#define FOLDWATCH_HASH_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_HEX   65 /* 64 digits and the NUL */

/* Incremental. hash_final() ends it and frees; hash_abort() only frees. */
struct hash *hash_new(void);
void hash_add(struct hash *h, const void *data, size_t len);
void hash_final(struct hash *h, char hex[SHA256_HEX]);
void hash_abort(struct hash *h);

/* One call for a block. */
void hash_block(const void *data, size_t len, char hex[SHA256_HEX]);
/* Of a whole file, read in pieces; *bytes (may be NULL) gets its length. */
enum err hash_file(const char *path, char hex[SHA256_HEX], uint64_t *bytes, struct why *w);

/* HMAC-SHA256 (RFC 2104) over the parts in turn, closed by a NULL data. */
struct hmac_part {
	const void *data;
	size_t len;
};
void hmac_sha256(const void *key, size_t key_len, const struct hmac_part *parts,
                 char hex[SHA256_HEX]);

/* Lower-case hex of `len` bytes; out holds 2 * len + 1. */
void hex_encode(const void *data, size_t len, char *out);
/* Exactly 2 * len hex digits of either case; false for anything else. */
bool hex_decode(const char *hex, void *out, size_t len);
/* True for exactly `digits` lower-case hex digits. */
bool hex_is(const char *s, size_t digits);

/* CRC-32 (IEEE 802.3, as zlib's crc32()); start with crc = 0. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len);

/* From the kernel (GnuTLS); aborts when there is no randomness. */
void random_bytes(void *out, size_t len);
/* 2 * bytes hex digits and a NUL. */
void random_hex(char *out, size_t bytes);

/* Takes the same time wherever the first difference stands. */
bool equal_const_time(const void *a, const void *b, size_t len);

#endif
