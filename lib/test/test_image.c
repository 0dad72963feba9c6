/* Images built here byte by byte, after Documentation/arch/arm64/booting.rst. */
#include "lib/hash.h"
#include "lib/image.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/test/mutate.h"
#include "lib/test/tmpdir.h"

#define BANNER "Linux version 6.12.1 (b@h) (gcc 12.2.0, GNU ld 2.40) #1 SMP PREEMPT"
#define WINDOW (256 * 1024) /* what image.c reads at a time: the seams to test */
#define BYTES  (3 * WINDOW)

static void put_le(char *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (char)(v >> (8 * i));
}

static void put_header(char *image, uint64_t page_bits)
{
	put_le(image, 0x91005a4d, 4); /* "MZ" as an instruction, as kernels with EFI begin */
	put_le(image + 16, 0x2f50000, 8);
	put_le(image + 24, 0x8 | page_bits << 1, 8);
	memcpy(image + 56, "ARM\x64", 4);
}

static void put_note(char *at, const void *id, uint32_t len)
{
	put_le(at, 4, 4);
	put_le(at + 4, len, 4);
	put_le(at + 8, 3, 4);
	memcpy(at + 12, "GNU", 4);
	memcpy(at + 16, id, len);
}

/* A PE header at 64 with two sections, the second of which ends at `end`. */
static void put_pe(char *image, uint32_t end)
{
	char *pe = image + 64;

	put_le(image + 60, 64, 4);
	memcpy(pe, "PE\0\0", 4);
	put_le(pe + 6, 2, 2);    /* sections */
	put_le(pe + 20, 160, 2); /* bytes of the optional header */
	put_le(pe + 24 + 160 + 16, 0x1000, 4);
	put_le(pe + 24 + 160 + 20, 0x10000, 4);
	put_le(pe + 24 + 200 + 16, end - 0x11000, 4);
	put_le(pe + 24 + 200 + 20, 0x11000, 4);
}

static char *plain_image(void)
{
	char *image = xcalloc(BYTES, 1);

	put_header(image, 1);
	put_pe(image, BYTES);
	return image;
}

static enum err probe(void **state, const void *data, size_t len, struct image *img, struct why *w)
{
	put_file(in(*state, "Image"), data, len);
	return image_probe(in(*state, "Image"), img, w);
}

static void reads_an_image(void **state)
{
	static const unsigned int sizes[] = {0, 4096, 16384, 65536};
	char *image = plain_image();
	struct image img;
	struct why w;

	put_note(image + 0x2000,
	         "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\xff",
	         20);
	memcpy(image + 0x3001, "Linux version %s (%s)\n", 22); /* a format */
	memcpy(image + 0x4003, BANNER "\nmore", sizeof(BANNER "\nmore"));
	memcpy(image + 0x5000, "Linux version 5.1 (not the first)\n", 34);
	for (uint64_t bits = 0; bits < 4; bits++) {
		put_header(image, bits);
		assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
		assert_int_equal(img.page_size, sizes[bits]);
	}
	assert_int_equal(img.bytes, BYTES);
	assert_int_equal(img.image_size, 0x2f50000);
	assert_int_equal(img.build_id_count, 1);
	assert_string_equal(img.build_id[0], "0102030405060708090a0b0c0d0e0f10111213ff");
	assert_string_equal(img.banner, BANNER);
	free(image);
}

/* Where one read ends and the next begins, at every place that a note can have. */
static void finds_what_lies_on_a_seam(void **state)
{
	char id[20], hex[41];

	random_bytes(id, sizeof(id));
	hex_encode(id, sizeof(id), hex);
	for (int off = -600; off <= 40; off += 4) {
		char *image = plain_image();
		struct image img;
		struct why w;

		put_note(image + WINDOW + off, id, sizeof(id));
		memcpy(image + 2 * WINDOW + off + off % 8 / 4 + 1, BANNER "\n", sizeof(BANNER));
		assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
		if (img.build_id_count != 1 || !str_eq(img.build_id[0], hex))
			fail_msg("note at %d: %zu found", off, img.build_id_count);
		if (!str_eq(img.banner, BANNER))
			fail_msg("banner at %d: \"%s\"", off, img.banner);
		free(image);
	}
}

static void keeps_every_build_id_once(void **state)
{
	char *image = plain_image(), id[32] = {0};
	struct image img;
	struct why w;

	for (int i = 0; i < 20; i++) {
		id[0] = (char)(i / 2);
		put_note(image + 0x1000 + 64 * i, id, i / 2 == 1 ? 32 : 20);
	}
	assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
	assert_int_equal(img.build_id_count, 10);
	assert_int_equal(strlen(img.build_id[1]), 64);
	for (int i = 0; i < 100; i++) {
		id[0] = (char)i;
		put_note(image + 0x1000 + 64 * i, id, 20);
	}
	assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
	assert_int_equal(img.build_id_count, IMAGE_BUILD_IDS);
	free(image);
}

static void takes_no_other_notes(void **state)
{
	char *image = plain_image(), id[40] = {1};
	struct image img;
	struct why w;

	put_note(image + 0x1000, id, 33); /* too long for one */
	put_note(image + 0x1100, id, 4);  /* too short */
	put_note(image + 0x1202, id, 20); /* not at a multiple of 4 */
	put_note(image + 0x1300, id, 20);
	put_le(image + 0x1308, 1, 4); /* an ABI note */
	put_note(image + 0x1400, id, 20);
	memcpy(image + 0x140c, "Xen", 4);
	put_note(image + 0x1500, id, 20);
	put_le(image + 0x1504, 0xffffffff, 4);
	put_note(image + BYTES - 36, id, 20);
	put_le(image + BYTES - 32, 21, 4); /* over the end of the file */
	assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
	assert_int_equal(img.build_id_count, 0);
	assert_string_equal(img.banner, "");
	put_le(image + BYTES - 32, 20, 4); /* up to it */
	assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
	assert_int_equal(img.build_id_count, 1);
	free(image);
}

static void bounds_the_banner(void **state)
{
	char *image = plain_image();
	struct image img;
	struct why w;

	memset(image + 0x1000, '9', 0x1000);
	memcpy(image + 0x1000, "Linux version ", 14);
	assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
	assert_int_equal(strlen(img.banner), sizeof(img.banner) - 1);
	image[0x1010] = '\x1b';
	assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
	assert_string_equal(img.banner, "Linux version 99");
	/* the file ends in the middle of one */
	memcpy(image + BYTES - 15, "Linux version 7", 15);
	memset(image + 0x1000, 0, 0x1000);
	assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
	assert_string_equal(img.banner, "Linux version 7");
	memcpy(image + BYTES - 14, "Linux version ", 14);
	assert_int_equal(probe(state, image, BYTES, &img, &w), OK);
	assert_string_equal(img.banner, "");
	free(image);
}

static void refuses_truncated_files(void **state)
{
	char *image = plain_image();
	struct image img;
	struct why w;

	assert_int_equal(probe(state, image, 0, &img, &w), ERR_INPUT);
	assert_true(str_ends(w.text, "/Image\" is empty"));
	for (size_t len = 1; len < 64; len++)
		assert_int_equal(probe(state, image, len, &img, &w), ERR_INPUT);
	assert_int_equal(probe(state, image + 2, 60, &img, &w), ERR_INPUT);
	assert_true(str_ends(w.text, "it ends after 60 bytes, in its header"));
	assert_int_equal(probe(state, image, BYTES - 1, &img, &w), ERR_INPUT);
	assert_true(
	        str_ends(w.text, "is truncated: its header tells of 786432 bytes, it has 786431"));
	assert_int_equal(probe(state, image, WINDOW, &img, &w), ERR_INPUT);
	assert_int_equal(probe(state, image, 400, &img, &w), ERR_INPUT);
	/* no EFI stub, or a header that leads nowhere: nothing is known of the end */
	put_le(image + 60, 0xfffffff0, 4);
	assert_int_equal(probe(state, image, BYTES - 1, &img, &w), OK);
	assert_int_equal(probe(state, image, 64, &img, &w), OK);
	free(image);
}

static void names_strangers(void **state)
{
	static const struct {
		size_t offset;
		const char *magic;
		size_t len;
		const char *word;
	} files[] = {
	        {0, "\x1f\x8b\x08\x00", 4, "gzip"},
	        {0, "\177ELF\x02\x01\x01", 7, "ELF"},
	        {514, "HdrS", 4, "x86 bzImage"},
	        {0, "MZ\0\0zimg", 8, "EFI zboot"},
	        {0, "MZ", 2, "EFI program"},
	        {0, "\x28\xb5\x2f\xfd", 4, "zstd"},
	        {0, "\xfd\x37\x7a\x58\x5a\x00", 6, "xz"},
	        {0, "BZh9", 4, "bzip2"},
	        {0, "\x02\x21\x4c\x18", 4, "lz4"},
	        {0, "\x27\x05\x19\x56", 4, "uImage"},
	        {0, "\xd0\x0d\xfe\xed", 4, "FIT"},
	        {36, "\x18\x28\x6f\x01", 4, "32-bit ARM"},
	        {56, "RSC\x05", 4, "RISC-V"},
	        {0, "#!/bin/sh\n", 10, "no \"ARM\\x64\" at byte 56"},
	};
	struct image img;
	struct why w;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char data[1024] = {0};

		if (files[i].offset == 514)
			memcpy(data, "MZ", 2); /* an x86 kernel with EFI */
		memcpy(data + files[i].offset, files[i].magic, files[i].len);
		assert_int_equal(probe(state, data, sizeof(data), &img, &w), ERR_INPUT);
		if (!strstr(w.text, files[i].word))
			fail_msg("%s: said: %s", files[i].word, w.text);
	}
	/* told even where it is shorter than a header */
	assert_int_equal(probe(state, "\x1f\x8b", 2, &img, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "gzip"));
}

static void refuses_what_is_no_file(void **state)
{
	struct image img;
	struct why w;

	assert_int_equal(image_probe(in(*state, "none"), &img, &w), ERR_NOT_FOUND);
	assert_int_equal(image_probe(*state, &img, &w), ERR_INPUT);
	assert_int_equal(mkfifo(in(*state, "fifo"), 0600), 0);
	assert_int_equal(image_probe(in(*state, "fifo"), &img, &w), ERR_INPUT);
	assert_int_equal(image_probe("/dev/zero", &img, &w), ERR_INPUT);
}

static const char *mutated_path;

static void mutated(const char *data, size_t len)
{
	struct image img;
	struct why w = {""};

	put_file(mutated_path, data, len);
	if (image_probe(mutated_path, &img, &w) == OK) {
		assert_int_equal(img.bytes, len);
		assert_true(img.build_id_count <= IMAGE_BUILD_IDS);
		assert_non_null(memchr(img.banner, '\0', sizeof(img.banner)));
	} else {
		assert_true(strlen(w.text) > 0);
	}
}

static void survives_mutation(void **state)
{
	char small[2048] = {0};

	put_header(small, 1);
	put_pe(small, sizeof(small) + 0x11000);
	put_le(small + 64 + 24 + 200 + 20, 0, 4);
	put_note(small + 1024, "01234567890123456789", 20);
	put_note(small + 2048 - 48, "01234567890123456789012345678901", 32);
	memcpy(small + 1200, BANNER, sizeof(BANNER));
	mutated_path = in(*state, "mutated");
	mutate(small, sizeof(small), 4000, mutated);
	/* the header alone, where damage hits more often */
	mutate(small, 400, 4000, mutated);
}

#define IN_TMPDIR(test) cmocka_unit_test_setup_teardown(test, tmpdir_setup, tmpdir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        IN_TMPDIR(reads_an_image),
	        IN_TMPDIR(finds_what_lies_on_a_seam),
	        IN_TMPDIR(keeps_every_build_id_once),
	        IN_TMPDIR(takes_no_other_notes),
	        IN_TMPDIR(bounds_the_banner),
	        IN_TMPDIR(refuses_truncated_files),
	        IN_TMPDIR(names_strangers),
	        IN_TMPDIR(refuses_what_is_no_file),
	        IN_TMPDIR(survives_mutation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
