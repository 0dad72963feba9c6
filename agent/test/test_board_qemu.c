#include "agent/board_qemu.h"

#include "agent/step.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char qemu[] = "/opt/qemu/bin/qemu-system-aarch64";

static struct board_conf board(enum qemu_profile p)
{
	return (struct board_conf){
	        .name = "b", .kind = BOARD_QEMU, .profile = p, .qemu = qemu, .untrusted = true};
}

static struct qemu_boot sample(const struct board_conf *b)
{
	return (struct qemu_boot){.board = b,
	                          .memory_bytes = INT64_C(2415919104),
	                          .nonce = "0123456789abcdef",
	                          .metric = "instructions",
	                          .phase_pages = 7,
	                          .image = "/a,b/Image",
	                          .initramfs = "/a,b/initramfs.cpio",
	                          .console = "/a,b/console",
	                          .result = "/a,b/result.jsonl"};
}

static void test_cmdline_has_one_width(void **state)
{
	static const char want[] =
	        "console=ttyAMA0 nokaslr norandmaps randomize_kstack_offset=off panic=-1 "
	        "foldwatch.nonce=0123456789abcdef foldwatch.phase=0007 "
	        "foldwatch.metric=instructions";
	struct board_conf c = board(PROFILE_DETERMINISTIC);
	struct qemu_boot b = sample(&c);
	char *text = qemu_cmdline(&b);

	(void)state;
	assert_string_equal(text, want);
	free(text);
	b.phase_pages = 9999;
	b.metric = "ns";
	text = qemu_cmdline(&b);
	assert_int_equal(strlen(text), sizeof(want) - 1);
	assert_true(str_ends(text, "foldwatch.phase=9999 foldwatch.metric=ns----------"));
	free(text);
}

static bool has_pair(const struct argv *a, const char *option, const char *value)
{
	for (size_t i = 0; i + 1 < a->n; i++)
		if (str_eq(a->v[i], option) && str_eq(a->v[i + 1], value))
			return true;
	return false;
}

/* For who exercises files; described without where it lies. */
static void test_disk(void **state)
{
	struct board_conf c = board(PROFILE_DETERMINISTIC);
	struct qemu_boot b = sample(&c);
	struct argv a = {0}, without = {0};
	json_t *described;
	char *text;

	(void)state;
	qemu_argv(&b, &without);
	b.disk = "/a,b/disk";
	qemu_argv(&b, &a);
	assert_int_equal(a.n, without.n + 4);
	assert_true(
	        has_pair(&a, "-drive", "if=none,id=disk,format=raw,cache=unsafe,file=/a,,b/disk"));
	assert_true(has_pair(&a, "-device", "virtio-blk-device,drive=disk"));
	described = qemu_describe(&b);
	text = json_dumps(described, JSON_COMPACT);
	assert_non_null(strstr(text, "cache=unsafe,file=disk\""));
	free(text);
	json_decref(described);
	argv_release(&a);
	argv_release(&without);
}

/* To the letter: another argument is another machine, and other counts. */
static void test_deterministic_argv(void **state)
{
	static const char *const want[] = {
	        qemu,
	        "-M",
	        "virt-7.2,gic-version=3,dtb-randomness=off",
	        "-cpu",
	        "neoverse-n1",
	        "-smp",
	        "1",
	        "-accel",
	        "tcg,thread=single",
	        "-icount",
	        "shift=0,sleep=off",
	        "-seed",
	        "1",
	        "-rtc",
	        "base=2024-01-01T00:00:00,clock=vm",
	        "-m",
	        "2304M",
	        "-nodefaults",
	        "-no-user-config",
	        "-display",
	        "none",
	        "-nic",
	        "none",
	        "-no-reboot",
	        "-chardev",
	        "file,id=console,path=/a,,b/console",
	        "-serial",
	        "chardev:console",
	        "-chardev",
	        "file,id=results,path=/a,,b/result.jsonl",
	        "-device",
	        "virtio-serial-device",
	        "-device",
	        "virtserialport,chardev=results,name=org.foldwatch.results",
	        "-kernel",
	        "/a,b/Image",
	        "-initrd",
	        "/a,b/initramfs.cpio",
	        "-append"};
	struct board_conf c = board(PROFILE_DETERMINISTIC);
	struct qemu_boot b = sample(&c);
	struct argv a = {0};
	size_t i;

	(void)state;
	qemu_argv(&b, &a);
	assert_int_equal(a.n, ARRAY_SIZE(want) + 1);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(a.v[i], want[i]);
	argv_release(&a);
}

static void test_fast_has_no_icount(void **state)
{
	struct board_conf c = board(PROFILE_FAST);
	struct qemu_boot b = sample(&c);
	struct argv a = {0};
	size_t i;

	(void)state;
	qemu_argv(&b, &a);
	for (i = 0; i < a.n; i++) {
		assert_string_not_equal(a.v[i], "-icount");
		assert_null(strstr(a.v[i], "clock=vm"));
	}
	argv_release(&a);
}

static void test_description_names_no_place(void **state)
{
	struct board_conf c = board(PROFILE_DETERMINISTIC);
	struct qemu_boot b = sample(&c);
	json_t *list = qemu_describe(&b);
	char *text = json_text(list);

	(void)state;
	assert_string_equal(json_string_value(json_array_get(list, 0)), "qemu-system-aarch64");
	assert_null(strstr(text, "/a,"));
	assert_null(strstr(text, "/opt"));
	assert_non_null(strstr(text, "path=result.jsonl"));
	free(text);
	json_decref(list);
}

static void test_probe(void **state)
{
	struct board_conf c = board(PROFILE_DETERMINISTIC);
	struct qemu_version version;
	json_t *o;
	struct why w;

	(void)state;
	c.qemu = (char *)"qemu-that-is-not-there";
	assert_int_equal(board_probe(&c, &o, &w), ERR_IO);
	assert_null(o);
	c.qemu = (char *)"true"; /* a program, but not this one */
	assert_int_not_equal(board_probe(&c, &o, &w), OK);
	c.qemu = (char *)"qemu-system-aarch64";
	if (qemu_version(c.qemu, &version, &w)) {
		print_message("skipped: %s\n", w.text);
		skip();
	}
	assert_int_equal(board_probe(&c, &o, &w), OK);
	assert_string_equal(json_str(o, "metric", ""), "instructions");
	assert_true(json_flag(o, "deterministic", false));
	assert_true(json_flag(o, "emulated", false));
	assert_true(json_flag(json_object_get(o, "capabilities"), "build_id", false));
	assert_non_null(strstr(json_str(o, "description", ""), version.number));
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_cmdline_has_one_width),
	        cmocka_unit_test(test_deterministic_argv),
	        cmocka_unit_test(test_disk),
	        cmocka_unit_test(test_fast_has_no_icount),
	        cmocka_unit_test(test_description_names_no_place),
	        cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
