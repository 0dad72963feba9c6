#include "lib/zst.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct zst_packer {
	ZSTD_CCtx *ctx;
	int level;
};

struct zst_packer *zst_packer_new(int level)
{
	struct zst_packer *z = xcalloc(1, sizeof(*z));

	z->ctx = ZSTD_createCCtx();
	if (!z->ctx)
		err_bug("no memory for a zstd context");
	z->level = level;
	return z;
}

void zst_packer_free(struct zst_packer *z)
{
	if (!z)
		return;
	ZSTD_freeCCtx(z->ctx);
	free(z);
}

enum err zst_packer_add(struct zst_packer *z, const void *data, size_t len, struct buf *out,
                        struct why *w)
{
	size_t room = ZSTD_compressBound(len);
	enum err e = OK;
	char *frame;
	size_t n;

	if (ZSTD_isError(room))
		return err_set(w, ERR_TOO_LARGE, "%zu bytes are too many for one zstd frame", len);
	frame = xmalloc(room);
	n = ZSTD_compressCCtx(z->ctx, frame, room, data, len, z->level);
	if (ZSTD_isError(n))
		e = err_set(w, ERR_INTERNAL, "cannot compress %zu bytes: %s", len,
		            ZSTD_getErrorName(n));
	else if (!buf_add(out, frame, n))
		e = err_set(w, ERR_TOO_LARGE, "a zstd frame of %zu bytes, where %zu are free", n,
		            out->max - out->len);
	free(frame);
	return e;
}

enum err zst_pack(const void *data, size_t len, int level, struct buf *out, struct why *w)
{
	struct zst_packer *z = zst_packer_new(level);
	enum err e = zst_packer_add(z, data, len, out, w);

	zst_packer_free(z);
	return e;
}

enum err zst_unpack(const void *data, size_t len, struct buf *out, struct why *w)
{
	static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 8878, 3.1.1 */
	unsigned long long size = ZSTD_getFrameContentSize(data, len);
	size_t frame, n;
	enum err e = OK;
	char *content;

	/* the library takes a skippable frame for an empty one */
	if (size == ZSTD_CONTENTSIZE_ERROR || len < sizeof(magic) ||
	    memcmp(data, magic, sizeof(magic)) != 0)
		return err_set(w, ERR_INPUT, "not a zstd frame (%zu bytes)", len);
	if (size == ZSTD_CONTENTSIZE_UNKNOWN)
		return err_set(w, ERR_INPUT, "a zstd frame that does not tell its size");
	if (size > out->max - out->len)
		return err_set(w, ERR_TOO_LARGE,
		               "a zstd frame that holds %llu bytes, where %zu are free", size,
		               out->max - out->len);
	frame = ZSTD_findFrameCompressedSize(data, len);
	if (ZSTD_isError(frame))
		return err_set(w, ERR_INPUT, "a torn zstd frame (%zu bytes): %s", len,
		               ZSTD_getErrorName(frame));
	if (frame != len)
		return err_set(w, ERR_INPUT, "%zu bytes follow a zstd frame of %zu", len - frame,
		               frame);
	/* What a header promises is bounded above by what the caller allows. */
	content = xmalloc((size_t)size);
	n = ZSTD_decompress(content, (size_t)size, data, len);
	if (ZSTD_isError(n))
		e = err_set(w, ERR_INPUT, "a damaged zstd frame (%zu bytes): %s", len,
		            ZSTD_getErrorName(n));
	else if (n != size)
		e = err_set(w, ERR_INPUT, "a zstd frame of %zu bytes that promises %llu", n, size);
	else if (!buf_add(out, content, n))
		e = err_set(w, ERR_TOO_LARGE, "%zu bytes do not fit", n);
	free(content);
	return e;
}
