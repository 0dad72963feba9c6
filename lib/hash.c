#include "lib/hash.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE (64 * 1024)

struct hash {
	gnutls_hash_hd_t handle;
};

/* SHA-256 fails only where the library is broken or out of memory. */
static void must(int rc, const char *what)
{
	if (rc < 0)
		err_bug("%s: %s", what, gnutls_strerror(rc));
}

struct hash *hash_new(void)
{
	struct hash *h = xcalloc(1, sizeof(*h));

	must(gnutls_hash_init(&h->handle, GNUTLS_DIG_SHA256), "SHA-256");
	return h;
}

void hash_add(struct hash *h, const void *data, size_t len)
{
	if (len > 0)
		must(gnutls_hash(h->handle, data, len), "SHA-256");
}

void hash_final(struct hash *h, char hex[SHA256_HEX])
{
	unsigned char digest[SHA256_BYTES];

	gnutls_hash_deinit(h->handle, digest);
	hex_encode(digest, sizeof(digest), hex);
	free(h);
}

void hash_abort(struct hash *h)
{
	if (!h)
		return;
	gnutls_hash_deinit(h->handle, NULL);
	free(h);
}

void hash_block(const void *data, size_t len, char hex[SHA256_HEX])
{
	struct hash *h = hash_new();

	hash_add(h, data, len);
	hash_final(h, hex);
}

void hmac_sha256(const void *key, size_t key_len, const struct hmac_part *parts,
                 char hex[SHA256_HEX])
{
	unsigned char digest[SHA256_BYTES];
	gnutls_hmac_hd_t h;

	must(gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, key, key_len), "HMAC");
	for (; parts->data; parts++)
		if (parts->len)
			must(gnutls_hmac(h, parts->data, parts->len), "HMAC");
	gnutls_hmac_deinit(h, digest);
	hex_encode(digest, sizeof(digest), hex);
}

enum err hash_file(const char *path, char hex[SHA256_HEX], uint64_t *bytes, struct why *w)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t total = 0;
	enum err e = OK;
	struct hash *h;
	char *piece;
	ssize_t n;

	if (fd < 0)
		return err_sys(w, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open \"%s\"",
		               path);
	h = hash_new();
	piece = xmalloc(PIECE);
	for (;;) {
		n = read(fd, piece, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		hash_add(h, piece, (size_t)n);
		total += (uint64_t)n;
	}
	if (n < 0) {
		e = err_sys(w, ERR_IO, "cannot read \"%s\"", path);
		hash_abort(h);
	} else {
		hash_final(h, hex);
		if (bytes)
			*bytes = total;
	}
	free(piece);
	close(fd);
	return e;
}

void hex_encode(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *hex, void *out, size_t len)
{
	unsigned char *b = out;

	for (size_t i = 0; i < len; i++) {
		int high = digit_value(hex[2 * i]);
		/* the NUL may stand at the first digit: the second is not there then */
		int low = high < 0 ? -1 : digit_value(hex[2 * i + 1]);

		if (low < 0)
			return false;
		b[i] = (unsigned char)(high << 4 | low);
	}
	return hex[2 * len] == '\0';
}

bool hex_is(const char *s, size_t digits)
{
	for (size_t i = 0; i < digits; i++)
		if (digit_value(s[i]) < 0 || (s[i] >= 'A' && s[i] <= 'F'))
			return false;
	return s[digits] == '\0';
}

uint32_t crc32_add(uint32_t crc, const void *data, size_t len)
{
	/* crc32_z() takes NULL for "give me the start value", which is not a
	 * continuation of `crc` */
	if (len == 0)
		return crc;
	return (uint32_t)crc32_z(crc, data, len);
}

void random_bytes(void *out, size_t len)
{
	must(gnutls_rnd(GNUTLS_RND_KEY, out, len), "no randomness");
}

void random_hex(char *out, size_t bytes)
{
	unsigned char piece[64];

	*out = '\0';
	while (bytes > 0) {
		size_t n = bytes < sizeof(piece) ? bytes : sizeof(piece);

		random_bytes(piece, n);
		hex_encode(piece, n, out);
		out += 2 * n;
		bytes -= n;
	}
	explicit_bzero(piece, sizeof(piece));
}

bool equal_const_time(const void *a, const void *b, size_t len)
{
	return gnutls_memcmp(a, b, len) == 0;
}
