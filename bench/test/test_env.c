/* The conditions of a boot: what is read, from a machine made of files; hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/env.h"
#include "bench/fdt.h"
#include "lib/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void hashed(const char *text, size_t repeat, const char *expected)
{
	char hex[SHA256_HEX_SIZE];
	struct sha256 h;

	sha256_init(&h);
	for (size_t i = 0; i < repeat; i++)
		sha256_add(&h, text, strlen(text));
	sha256_hex(&h, hex);
	assert_string_equal(hex, expected);
}

/* FIPS 180's own examples. */
static void sha256_known_answers(void **state)
{
	(void)state;
	hashed("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hashed("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hashed("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	hashed("aaaaaaaaaa", 100000,
	       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* ---- device trees */

struct blob {
	unsigned char at[1024];
	size_t structs, strings; /* bytes so far */
};

enum { STRUCTS = 64, STRINGS = 640 };

static void word(unsigned char *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void put_word(struct blob *b, uint32_t v)
{
	word(b->at + STRUCTS + b->structs, v);
	b->structs += 4;
}

static void put_bytes(struct blob *b, const void *data, size_t len)
{
	memcpy(b->at + STRUCTS + b->structs, data, len);
	b->structs += (len + 3) & ~(size_t)3;
}

static void node(struct blob *b, const char *name)
{
	put_word(b, 1);
	put_bytes(b, name, strlen(name) + 1);
}

static void prop(struct blob *b, const char *name, const char *value)
{
	put_word(b, 3);
	put_word(b, (uint32_t)strlen(value) + 1);
	put_word(b, (uint32_t)b->strings);
	strcpy((char *)b->at + STRINGS + b->strings, name);
	b->strings += strlen(name) + 1;
	put_bytes(b, value, strlen(value) + 1);
}

static void end(struct blob *b)
{
	put_word(b, 2);
}

/* "/" with a model, /chosen with a command line, and /memory. */
static void tree(struct blob *b, const char *model, const char *bootargs, const char *memory)
{
	memset(b, 0, sizeof(*b));
	node(b, "");
	prop(b, "model", model);
	if (bootargs) {
		node(b, "chosen");
		prop(b, "bootargs", bootargs);
		node(b, "inside");
		prop(b, "x", bootargs);
		end(b);
		end(b);
	}
	put_word(b, 4);
	node(b, "memory");
	prop(b, "reg", memory);
	/* The name alone does not make it the tree's own. */
	node(b, "chosen");
	prop(b, "reg", memory);
	end(b);
	end(b);
	end(b);
	put_word(b, 9);
	word(b->at, 0xd00dfeed);
	word(b->at + 8, STRUCTS);
	word(b->at + 12, STRINGS);
	word(b->at + 32, (uint32_t)b->strings);
	word(b->at + 36, (uint32_t)b->structs);
}

static void device_trees(void **state)
{
	char one[SHA256_HEX_SIZE], two[SHA256_HEX_SIZE];
	struct blob b;

	(void)state;
	tree(&b, "board", "nonce=1", "2G");
	assert_true(fdt_hash(&b.at, sizeof(b.at), one));
	/* Another boot of it, and none at all of what firmware chose. */
	tree(&b, "board", "nonce=2 and more", "2G");
	assert_true(fdt_hash(&b.at, sizeof(b.at), two));
	assert_string_equal(one, two);
	tree(&b, "board", NULL, "2G");
	assert_true(fdt_hash(&b.at, sizeof(b.at), two));
	assert_string_equal(one, two);
	tree(&b, "board", "nonce=1", "4G");
	assert_true(fdt_hash(&b.at, sizeof(b.at), two));
	assert_string_not_equal(one, two);
	tree(&b, "boar", "nonce=1", "2G");
	assert_true(fdt_hash(&b.at, sizeof(b.at), two));
	assert_string_not_equal(one, two);
}

/* Every cut and every byte turned over: an answer or none, never outside. */
static void broken_trees(void **state)
{
	char hex[SHA256_HEX_SIZE];
	struct blob b;

	(void)state;
	tree(&b, "board", "nonce=1", "2G");
	assert_false(fdt_hash("", 0, hex));
	for (size_t len = 0; len < STRUCTS + b.structs; len++) {
		unsigned char *cut = malloc(len ? len : 1); /* ends where the heap's guard is */

		memcpy(cut, b.at, len);
		assert_false(fdt_hash(cut, len, hex));
		free(cut);
	}
	for (size_t i = 0; i < sizeof(b.at); i++)
		for (unsigned int v = 0; v < 256; v += 5) {
			unsigned char *copy = malloc(sizeof(b.at));

			memcpy(copy, b.at, sizeof(b.at));
			copy[i] ^= (unsigned char)v;
			fdt_hash(copy, sizeof(b.at), hex);
			free(copy);
		}
}

/* ---- a machine */

static char root[] = "/tmp/foldbench-env-XXXXXX";

static void file(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static json_t *described(void)
{
	static char memory[65536];
	json_t *o = NULL;
	struct emit e;
	struct why w;

	emit_init(&e, memory, sizeof(memory));
	emit_open(&e, NULL);
	env_describe(&e, root);
	emit_close(&e);
	assert_false(e.full);
	if (json_parse(e.data, e.len, sizeof(memory), &o, &w) != OK)
		fail_msg("%s: %.*s", w.text, (int)e.len, e.data);
	return o;
}

static void absent_is_left_out(void **state)
{
	static const char *const never[] = {"cpu",  "model", "features", "cpufreq",     "ram_bytes",
	                                    "numa", "soc",   "firmware", "fdt_sha256",  "detected",
	                                    "smt",  "boost", "efi_bits", "mitigations", NULL};
	json_t *o, *env;

	(void)state;
	assert_non_null(mkdtemp(root));
	o = described();
	env = json_object_get(o, "env");
	assert_true(json_int(env, "cpus", 0) > 0);
	for (size_t i = 0; never[i]; i++)
		assert_null(json_object_get(env, never[i]));
	json_decref(o);
}

static const char *in(const json_t *o, const char *key)
{
	return json_str(o, key, "(absent)");
}

static void what_files_say(void **state)
{
	json_t *o, *env;
	struct blob b;
	char path[64];
	FILE *f;

	(void)state;
	file("/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\nCPU part\t: 0xd0c\n\n"
	                      "processor\t: 1\nFeatures\t: fp asimd\n\n"
	                      "processor\t: 2\nFeatures\t: fp \"sve\xff\n\nHardware : x\n");
	file("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", "0x413fd0c1\n");
	file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
	file("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3000000\n");
	file("/proc/iomem", "00000000-00000fff : Reserved\n40000000-bfffffff : System RAM\n"
	                    "  41000000-41ffffff : Kernel code\n"
	                    "  50000000-5fffffff : System RAM\n"
	                    "100000000-13fffffff : System RAM\nnonsense\n");
	file("/proc/meminfo", "MemTotal:        2058164 kB\nMemFree: 1 kB\n");
	file("/sys/devices/system/node/online", "0-1\n");
	file("/sys/devices/system/node/node1/distance", "20 10\n");
	file("/sys/class/dmi/id/bios_version", "1.2\n");
	file("/sys/class/dmi/id/bios_date", "");
	file("/sys/devices/system/cpu/vulnerabilities/spectre_v1", "Not affected\n");
	file("/sys/devices/system/cpu/vulnerabilities/meltdown", "Vulnerable\n");
	tree(&b, "board", "nonce=1", "2G");
	snprintf(path, sizeof(path), "%s/sys/firmware", root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/sys/firmware/fdt", root);
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite(b.at, sizeof(b.at), 1, f);
	fclose(f);

	o = described();
	env = json_object_get(o, "env");
	assert_int_equal(json_array_size(json_object_get(env, "features")), 2);
	assert_string_equal(in(json_array_get(json_object_get(env, "features"), 0), "cpus"), "0-1");
	assert_string_equal(in(json_array_get(json_object_get(env, "features"), 1), "has"),
	                    "fp \"sve\xef\xbf\xbd");
	assert_string_equal(in(json_array_get(json_object_get(env, "cpu"), 0), "midr"),
	                    "0x413fd0c1");
	assert_string_equal(in(json_array_get(json_object_get(env, "cpufreq"), 0), "governor"),
	                    "performance");
	assert_string_equal(in(json_array_get(json_object_get(env, "cpufreq"), 0), "max_khz"),
	                    "3000000");
	assert_int_equal(json_int(env, "ram_bytes", 0), 0xc0000000);
	assert_int_equal(json_int(env, "memory_bytes", 0), 2058164 * 1024);
	assert_string_equal(in(json_object_get(json_object_get(env, "numa"), "node1"), "distance"),
	                    "20 10");
	assert_string_equal(in(json_object_get(env, "firmware"), "bios_version"), "1.2");
	assert_string_equal(in(json_object_get(env, "firmware"), "bios_date"), "(absent)");
	assert_string_equal(in(json_object_get(env, "mitigations"), "meltdown"), "Vulnerable");
	assert_int_equal(strlen(in(env, "fdt_sha256")), 64);
	json_decref(o);

	/* What is no tree has no hash; addresses that are hidden are no memory. */
	file("/sys/firmware/fdt", "\xd0\x0d\xfe\xed, and that is all");
	file("/proc/iomem", "00000000-00000000 : System RAM\n");
	o = described();
	env = json_object_get(o, "env");
	assert_null(json_object_get(env, "fdt_sha256"));
	assert_null(json_object_get(env, "ram_bytes"));
	json_decref(o);
}

static json_t *detected(const char *log, size_t len)
{
	static char memory[16384];
	json_t *o = NULL;
	struct emit e;
	struct why w;

	emit_init(&e, memory, sizeof(memory));
	emit_open(&e, NULL);
	env_detected(&e, log, len);
	emit_close(&e);
	assert_int_equal(json_parse(e.data, e.len, sizeof(memory), &o, &w), OK);
	return o;
}

static void features_of_the_log(void **state)
{
	static const char log[] =
	        "<6>[    0.000000] CPU features: detected: Spectre-v4\n"
	        "<6>[    0.1] CPU features: kernel page table isolation forced OFF\n"
	        "<6>[    0.2] CPU features: detected: Hardware dirty bit management on CPU0-3\n"
	        "<6>[    0.3] CPU features: detected: Spectre-v4\n"
	        "<6>[    0.4] CPU features: detected: \n"
	        "<6>[    0.4] CPU features: detected: BBM Level 2";
	json_t *o = detected(log, sizeof(log) - 1), *list = json_object_get(o, "detected");

	(void)state;
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(json_string_value(json_array_get(list, 1)),
	                    "Hardware dirty bit management on CPU0-3");
	assert_string_equal(json_string_value(json_array_get(list, 2)), "BBM Level 2");
	json_decref(o);
	o = detected("", 0);
	assert_null(json_object_get(o, "detected"));
	json_decref(o);
	o = detected("CPU features: detected: \0\xff", 26);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sha256_known_answers), cmocka_unit_test(device_trees),
	        cmocka_unit_test(broken_trees),         cmocka_unit_test(absent_is_left_out),
	        cmocka_unit_test(what_files_say),       cmocka_unit_test(features_of_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
