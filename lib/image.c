#include "lib/image.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER      64           /* bytes of the arm64 header */
#define HEAD        4096         /* bytes looked at to tell what a file is */
#define WINDOW      (256 * 1024) /* bytes read at a time */
#define LOOK_AHEAD  512          /* longer than a note and than a banner */
#define NOTE_HEADER 16           /* name size, content size, type, "GNU\0" */

/* What people take for an Image, told by its first bytes. The first match
 * counts: what is told by more bytes comes before what is told by fewer. */
static const struct {
	size_t offset;
	const char *magic;
	size_t len;
	const char *what;
} strangers[] = {
        {4, "zimg", 4, "an EFI zboot image (vmlinuz.efi); the plain Image is needed"},
        {514, "HdrS", 4, "an x86 bzImage"},
        {56, "RSC\x05", 4, "a RISC-V image"},
        {36, "\x18\x28\x6f\x01", 4, "a 32-bit ARM zImage"},
        {0, "\177ELF", 4, "an ELF file (a vmlinux?); arch/arm64/boot/Image is needed"},
        {0, "\x1f\x8b", 2, "gzip data (Image.gz?); the plain Image is needed"},
        {0, "\x28\xb5\x2f\xfd", 4, "zstd data; the plain Image is needed"},
        {0,
         "\xfd"
         "7zXZ",
         5, "xz data; the plain Image is needed"},
        {0, "BZh", 3, "bzip2 data; the plain Image is needed"},
        {0, "\x02\x21\x4c\x18", 4, "lz4 data; the plain Image is needed"},
        {0, "\x04\x22\x4d\x18", 4, "lz4 data; the plain Image is needed"},
        {0, "\x27\x05\x19\x56", 4, "a U-Boot uImage; the plain Image is needed"},
        {0, "\xd0\x0d\xfe\xed", 4, "a device tree or a FIT image; the plain Image is needed"},
        {0, "MZ", 2, "an EFI program that is no arm64 kernel"},
};

static uint32_t le16(const unsigned char *p)
{
	return (uint32_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const unsigned char *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static uint64_t le64(const unsigned char *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static enum err check_head(const char *path, const unsigned char *head, size_t len, struct why *w)
{
	if (len == 0)
		return err_set(w, ERR_INPUT, "\"%s\" is empty", path);
	if (len >= HEADER && memcmp(head + 56, "ARM\x64", 4) == 0)
		return OK;
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
		if (len >= strangers[i].offset + strangers[i].len &&
		    memcmp(head + strangers[i].offset, strangers[i].magic, strangers[i].len) == 0)
			return err_set(w, ERR_INPUT, "\"%s\" is not an arm64 image but %s", path,
			               strangers[i].what);
	if (len < HEADER)
		return err_set(
		        w, ERR_INPUT,
		        "\"%s\" is not an arm64 image: it ends after %zu bytes, in its header",
		        path, len);
	return err_set(w, ERR_INPUT, "\"%s\" is not an arm64 image: no \"ARM\\x64\" at byte 56",
	               path);
}

/* A kernel with an EFI stub carries a PE header (its offset stands at byte 60),
 * whose section table tells where the file must end. 0 without one. The format:
 * Microsoft, "PE Format", and arch/arm64/kernel/efi-header.S. */
static uint64_t pe_end(const unsigned char *head, size_t len)
{
	uint64_t pe = le32(head + 60), table, end = 0;
	uint32_t sections;

	if (memcmp(head, "MZ", 2) != 0 || pe + 24 > len || memcmp(head + pe, "PE\0\0", 4) != 0)
		return 0;
	sections = le16(head + pe + 6);
	table = pe + 24 + le16(head + pe + 20);
	for (uint32_t i = 0; i < sections; i++) {
		const unsigned char *s;
		uint64_t last;

		if (table + 40 * ((uint64_t)i + 1) > len)
			return 0;
		s = head + table + 40 * (uint64_t)i;
		last = (uint64_t)le32(s + 16) + le32(s + 20); /* SizeOf-, PointerToRawData */
		end = last > end ? last : end;
	}
	return end;
}

static void read_head(const unsigned char *head, struct image *img)
{
	static const unsigned int page_sizes[] = {0, 4096, 16384, 65536};

	img->image_size = le64(head + 16);
	img->page_size = page_sizes[le64(head + 24) >> 1 & 3];
}

static void note_build_id(struct image *img, const unsigned char *id, size_t len)
{
	char hex[BUILD_ID_HEX];

	hex_encode(id, len, hex);
	for (size_t i = 0; i < img->build_id_count; i++)
		if (str_eq(img->build_id[i], hex))
			return;
	if (img->build_id_count < IMAGE_BUILD_IDS)
		memcpy(img->build_id[img->build_id_count++], hex, sizeof(hex));
}

/* Look for notes that begin below `limit`; `data` stands at a multiple of 4 in
 * the file, as notes do. */
static void find_build_ids(struct image *img, const unsigned char *data, size_t len, size_t limit)
{
	static const unsigned char gnu[] = "GNU";

	for (size_t i = 0; i < limit && i + NOTE_HEADER < len; i += 4) {
		uint32_t id_len;

		if (data[i] != 4 || le32(data + i) != 4 || le32(data + i + 8) != 3 ||
		    memcmp(data + i + 12, gnu, sizeof(gnu)) != 0)
			continue;
		id_len = le32(data + i + 4);
		/* from xxHash (8) to a SHA-256 (32); ld makes 20 of SHA-1 */
		if (id_len >= 8 && id_len <= (BUILD_ID_HEX - 1) / 2 &&
		    id_len <= len - i - NOTE_HEADER)
			note_build_id(img, data + i + NOTE_HEADER, id_len);
	}
}

/* The format strings of printk look like it too, so a digit must follow. */
static void find_banner(struct image *img, const char *data, size_t len, size_t limit)
{
	static const char words[] = "Linux version ";
	const size_t words_len = sizeof(words) - 1;
	const char *p = data, *end = data + len;

	while (img->banner[0] == '\0' && (p = memmem(p, (size_t)(end - p), words, words_len)) &&
	       p < data + limit) {
		size_t n = words_len, room = (size_t)(end - p);

		if (n < room && p[n] >= '0' && p[n] <= '9') {
			while (n < room && n < sizeof(img->banner) - 1 && p[n] >= 0x20 &&
			       p[n] < 0x7f)
				n++;
			memcpy(img->banner, p, n);
			img->banner[n] = '\0';
		}
		p++;
	}
}

/* Fill the window from *have on; false when reading failed. */
static bool fill(int fd, char *window, size_t *have, bool *ended)
{
	while (*have < WINDOW && !*ended) {
		ssize_t n = read(fd, window + *have, WINDOW - *have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		*ended = n == 0;
		*have += (size_t)n;
	}
	return true;
}

static enum err probe(int fd, const char *path, char *window, struct image *img, struct why *w)
{
	uint64_t needs = 0;
	bool ended = false, first = true;
	size_t have = 0;

	while (!ended) {
		size_t carried = have, limit;

		if (!fill(fd, window, &have, &ended))
			return err_sys(w, ERR_IO, "cannot read \"%s\"", path);
		img->bytes += have - carried;
		if (first) {
			const unsigned char *head = (const unsigned char *)window;
			size_t len = have < HEAD ? have : HEAD;
			enum err e = check_head(path, head, len, w);

			if (e != OK)
				return e;
			read_head(head, img);
			needs = pe_end(head, len);
			first = false;
		}
		limit = ended ? have : (have - LOOK_AHEAD) & ~(size_t)3;
		find_build_ids(img, (const unsigned char *)window, have, limit);
		find_banner(img, window, have, limit);
		memmove(window, window + limit, have - limit);
		have -= limit;
	}
	if (needs > img->bytes)
		return err_set(w, ERR_INPUT,
		               "\"%s\" is truncated: its header tells of %" PRIu64
		               " bytes, it has %" PRIu64,
		               path, needs, img->bytes);
	return OK;
}

enum err image_probe(const char *path, struct image *img, struct why *w)
{
	struct stat st;
	enum err e;
	char *window;
	int fd;

	*img = (struct image){0};
	/* O_NONBLOCK: the open of a FIFO that nobody writes must not hang */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(w, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open \"%s\"",
		               path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(w, ERR_INPUT, "\"%s\" is not a regular file", path);
	}
	window = xmalloc(WINDOW);
	e = probe(fd, path, window, img, w);
	free(window);
	close(fd);
	return e;
}
