/*
 * The build step on a tree that only looks like a kernel's: a Makefile with the
 * targets that the step calls, doing what CONFIG_MODE asks for. What a real
 * kernel does is test_build_real.c's.
 */
#include "agent/test/needs.h"
#include "agent/test/steps.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct step_bed bed;
static char *origin, *url, *secret;
static char commit[41];

static const char makefile[] =
        "B = $(O)/arch/arm64/boot\n"
        "MODE = $(shell sed -n 's/^CONFIG_MODE=\"\\(.*\\)\"/\\1/p' $(O)/.config 2>/dev/null)\n"
        "IMAGE = { printf "
        "'\\115\\132\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000"
        "\\000\\000\\000\\001\\000\\000\\000\\000\\000\\012\\000\\000\\000\\000\\000\\000\\000'; "
        "printf '\\000%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; "
        "printf 'ARM\\144\\000\\000\\000\\000'; cat $(O)/vmlinux; } > $(B)/Image\n"
        "allnoconfig:\n"
        "\t@grep -v DROPPED $(KCONFIG_ALLCONFIG) > $(O)/.config\n"
        "olddefconfig:\n"
        "\t@sed -i s/OLD/old/ $(O)/.config\n"
        "Image: all-$(MODE)\n"
        "all-:\n"
        "\t@echo '  CC      init/main.o'\n"
        "\t@mkdir -p $(B) $(O)/include/config $(O)/init; echo 6.12.0 > "
        "$(O)/include/config/kernel.release\n"
        "\t@$(CC) $(KCFLAGS) -g -nostdlib -static -Wl,--build-id=sha1 -o $(O)/vmlinux "
        "$(CURDIR)/k.c\n"
        "\t@touch $(O)/init/main.o\n"
        "\t@$(IMAGE)\n"
        "all-error: \n"
        "\t@echo \"$(CURDIR)/mm/x.c:7:3: error: 'y' undeclared\" >&2; exit 1\n"
        "all-link: all-\n"
        "\t@ln -sf SECRET $(B)/Image\n"
        "all-noimage:\n"
        "\t@true\n"
        "all-noid: all-\n"
        "\t@$(CC) -nostdlib -static -Wl,--build-id=none -o $(O)/vmlinux $(CURDIR)/k.c\n"
        "all-host: all-\n"
        "\t@gcc -nostdlib -static -Wl,--build-id=sha1 -o $(O)/vmlinux $(CURDIR)/k.c\n"
        "all-spy:\n"
        "\t@cat SECRET; env; cat /proc/*/environ | tr '\\0' '\\n'; echo x > $(CURDIR)/x; exit 1\n"
        "all-slow:\n"
        "\t@touch $(O)/half.o; sleep 60\n"
        "all-whole: all-\n"
        "$(O)/%.o: $(CURDIR)/%.c\n"
        "\t@echo '  CC      $*.o'; $(CC) -O1 -c -o $@ $<\n"
        "$(O)/vmlinux: $(O)/k.o $(O)/f.o\n"
        "\t@cd $(O) && rm -f vmlinux.a && $(CROSS_COMPILE)ar rcT vmlinux.a k.o f.o && "
        "$(CROSS_COMPILE)ld -r -o part.o f.o && $(CROSS_COMPILE)ld --build-id=sha1 -o vmlinux "
        "--whole-archive vmlinux.a --no-whole-archive\n"
        "all-gaps: $(O)/vmlinux\n"
        "\t@mkdir -p $(B); $(IMAGE)\n"
        "all-fill:\n"
        "\t@dd if=/dev/zero of=$(O)/fill bs=1M count=64 2>/dev/null; sleep 60\n";

static int setup(void **state)
{
	char *file, *text, *at;
	struct buf all;
	struct why w;

	(void)state;
	bed_init(&bed, NULL, "file:///");
	/* The real compiler cache is slow to begin with, and nothing of this test's. */
	bed.conf.ccache_bytes = 0;
	origin = path_join(bed.dir, "origin");
	secret = path_join(bed.dir, "agent.token");
	url = xasprintf("file://%s", origin);
	assert_int_equal(dir_make(origin, 0755, &w), OK);
	assert_int_equal(file_write(secret, "the-token", 9, 0600, &w), OK);
	buf_init(&all, 65536);
	text = xstrdup(makefile);
	for (at = text; *at;) {
		char *found = strstr(at, "SECRET");

		if (!found) {
			buf_adds(&all, at);
			break;
		}
		buf_add(&all, at, (size_t)(found - at));
		buf_adds(&all, secret);
		at = found + 6;
	}
	free(text);
	file = path_join(origin, "Makefile");
	assert_int_equal(file_write(file, all.data, all.len, 0644, &w), OK);
	free(file);
	buf_release(&all);
	file = path_join(origin, "k.c");
	text = xstrdup("const char *const where = __FILE__;\n"
	               "const char linux_banner[] = \"Linux version 6.12.0 (a@b)\\n\";\n"
	               "int _start(void) { return where[0]; }\n");
	assert_int_equal(file_write(file, text, strlen(text), 0644, &w), OK);
	free(text);
	free(file);
	file = path_join(origin, "f.c");
	text = xstrdup("int first(int a) { return a * 3 + 1; }\n"
	               "int second(int a) { return first(a) ^ 5; }\n");
	assert_int_equal(file_write(file, text, strlen(text), 0644, &w), OK);
	free(text);
	free(file);
	file = path_join(origin, "Kconfig");
	text = xstrdup(
	        "config A\n\tbool \"A\"\nconfig OLD\n\tstring \"o\"\nconfig HIDDEN\n\tbool\n");
	assert_int_equal(file_write(file, text, strlen(text), 0644, &w), OK);
	free(text);
	free(file);
	run_ok(origin, "sh", "-c",
	       "export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t "
	       "GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t; git init -q -b main . && git add -A "
	       "&& "
	       "git commit -q -m one",
	       NULL);
	run_line(commit, sizeof(commit), origin, "git", "rev-parse", "HEAD", NULL);
	setenv("FOLDWATCH_TEST_SECRET", "the-token", 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(origin);
	free(url);
	free(secret);
	bed_release(&bed);
	return 0;
}

static json_t *spec(const char *text, bool whole)
{
	json_t *o = json_object(), *c = json_object();

	json_put_str(o, "tree", url);
	json_put_str(o, "ref", "main");
	json_put_str(o, "commit", commit);
	json_put_str(o, "name", "test");
	json_put_str(o, "toolchain", "gcc");
	json_put_str(c, "name", "test");
	json_put_bool(c, "whole", whole);
	json_put_str(c, "text", text);
	json_put(o, "config", c);
	json_put(o, "objects_before", json_null());
	return o;
}

static void expect(const char *config, bool whole, enum fail_class fail, const char *says,
                   struct step_outcome *out)
{
	struct why w = {""};

	*out = (struct step_outcome){.fail = FAIL_NONE};
	if (step_build(bed_job(&bed, spec(config, whole)), out, &w))
		fail_msg("%s: %s", config, w.text);
	if (out->fail != fail || (fail && !strstr(out->why.text, says)))
		fail_msg("%s: %s: %s", config, fail_class_name(out->fail), out->why.text);
	assert_true((out->body == NULL) == (fail != FAIL_NONE));
}

/* What a machine without bubblewrap does, in a process whose PATH has none.
 * Returns the number of the first check that failed, 0 for none. */
static int without_sandbox(void)
{
	struct step_outcome out = {.fail = FAIL_NONE};
	static char *trusted[1];
	char *bin = path_join(bed.dir, "bin"), *script;
	struct why w = {""};

	script = xasprintf("mkdir '%s'; for p in git prlimit aarch64-linux-gnu-gcc "
	                   "aarch64-linux-gnu-ld; do ln -s $(command -v $p) '%s'/$p; done",
	                   bin, bin);
	run_ok(NULL, "sh", "-c", script, NULL);
	free(script);
	setenv("PATH", bin, 1);
	if (!sandbox_probe(&w) || !strstr(w.text, "bwrap"))
		return 1;
	/* Refused, as this machine's failing and not as the tree's ... */
	if (step_build(bed_job(&bed, spec("CONFIG_A=y\n", false)), &out, &w))
		return 2;
	if (out.fail != FAIL_INFRA || out.body || !strstr(out.why.text, "trusted_trees"))
		return 3;
	/* ... unless the owner names this tree, which is on record. */
	trusted[0] = url;
	bed.conf.trusted_trees = (struct conf_list){trusted, 1};
	out = (struct step_outcome){.fail = FAIL_NONE};
	if (step_build(bed_job(&bed, spec("CONFIG_A=y\n", false)), &out, &w) || out.fail)
		return 4;
	if (!json_flag(out.body, "trusted", false) ||
	    !str_eq(json_str(out.body, "sandbox", ""), "none"))
		return 5;
	/* Another tree of the same host is not meant by it. */
	trusted[0] = xasprintf("%s2", url);
	out = (struct step_outcome){.fail = FAIL_NONE};
	if (step_build(bed_job(&bed, spec("CONFIG_A=y\n", false)), &out, &w) ||
	    out.fail != FAIL_INFRA)
		return 6;
	return 0;
}

static void test_no_sandbox(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(without_sandbox());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A patch that no tree has, on an agent that did not resolve its series. */
static void test_builds_a_patch(void **state)
{
	char patch[41], hex[SHA256_HEX], *work = path_join(bed.dir, "work"), *bundle, *to;
	struct step_outcome out = {.fail = FAIL_NONE};
	struct why w = {""};
	struct step *step;
	json_t *o;

	(void)state;
	NEEDS_SANDBOX();
	run_ok(bed.dir, "sh", "-c",
	       "set -e; export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t "
	       "GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t; git clone -q origin work; cd work\n"
	       "sed -i 's/6.12.0/6.12.1/' Makefile; git commit -q -a -m patch\n"
	       "git bundle create -q ../b main ^origin/main",
	       NULL);
	run_line(patch, sizeof(patch), work, "git", "rev-parse", "HEAD", NULL);
	bundle = path_join(bed.dir, "b");
	assert_int_equal(hash_file(bundle, hex, NULL, &w), OK);
	o = spec("CONFIG_A=y\n", false);
	json_put_str(o, "commit", patch);
	json_put_str(o, "ref", commit);
	json_put_str(o, "series", hex);
	json_put_str(o, "base", commit);
	step = bed_job(&bed, o);
	to = xasprintf("%s/series-%s", bed.job_dir, hex);
	assert_int_equal(file_copy(bundle, to, &w), OK);
	assert_int_equal(step_build(step, &out, &w), OK);
	if (out.fail)
		fail_msg("%s", out.why.text);
	assert_string_equal(json_str(out.body, "release", ""), "6.12.1");
	step_outcome_release(&out);
	free(to);
	free(bundle);
	free(work);
}

static void test_builds(void **state)
{
	struct step_outcome out;
	char first[65];

	(void)state;
	NEEDS_SANDBOX();
	expect("CONFIG_A=y\n", false, FAIL_NONE, "", &out);
	assert_string_equal(bed.marks.data, "fetched configured built ");
	assert_string_equal(json_str(out.body, "release", ""), "6.12.0");
	assert_int_equal(json_int(out.body, "objects", 0), 1);
	assert_int_equal(strlen(json_str(out.body, "build_id", "")), 40);
	assert_string_equal(json_str(out.body, "image", ""), out.artifact[0].sha256);
	assert_string_equal(json_str(out.body, "sandbox", ""), "bubblewrap");
	assert_non_null(
	        strstr(json_str(json_object_get(out.body, "toolchain"), "compiler", ""), "gcc"));
	snprintf(first, sizeof(first), "%s", json_str(out.body, "section_hash", ""));
	step_outcome_release(&out);
	/* Again, where it stands, it is the same binary. */
	expect("CONFIG_A=y\n", false, FAIL_NONE, "", &out);
	assert_string_equal(json_str(out.body, "section_hash", ""), first);
	step_outcome_release(&out);
}

static void test_whole_config(void **state)
{
	struct step_outcome out;

	(void)state;
	NEEDS_SANDBOX();
	/* What has no prompt is determined by others, and may come out otherwise. */
	expect("CONFIG_A=y\nCONFIG_HIDDEN=y\nCONFIG_CC_VERSION=\"OLDER\"\n", true, FAIL_NONE, "",
	       &out);
	step_outcome_release(&out);
	expect("CONFIG_A=y\nCONFIG_OLD=\"x\"\n", true, FAIL_BUILD,
	       "CONFIG_OLD: asked for \"x\", got n (is a dependency missing?)", &out);
	step_outcome_release(&out);
}

static const struct {
	const char *config;
	const char *says;
} bad[] = {
        {"CONFIG_A=y\nCONFIG_DROPPED=y\n", "CONFIG_DROPPED: asked for y, got n"},
        {"CONFIG_A y\n", "config:1: expected CONFIG_NAME=value"},
        {"CONFIG_MODE=\"error\"\n", "the build failed: mm/x.c:7:3: error: 'y' undeclared"},
        {"CONFIG_MODE=\"nothing-such\"\n", "No rule to make target"},
        {"CONFIG_MODE=\"link\"\n", "\"arch/arm64/boot/Image\" is a link"},
        {"CONFIG_MODE=\"noimage\"\nCONFIG_B=y\n", "cannot open \"arch/arm64/boot/Image\""},
        {"CONFIG_MODE=\"noid\"\n", "carries no GNU build-id"},
        {"CONFIG_MODE=\"host\"\n", "vmlinux is for machine 62, not for arm64"},
};

static void test_does_not_build(void **state)
{
	struct step_outcome out;
	size_t i;

	(void)state;
	NEEDS_SANDBOX();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		expect(bad[i].config, false, FAIL_BUILD, bad[i].says, &out);
		assert_int_equal(out.artifacts, 0);
		step_outcome_release(&out);
	}
}

/* The log of a build that looks for secrets holds none. */
static void test_sees_no_secret(void **state)
{
	char *log = path_join(bed.dir, "log");
	int kept = dup(1), fd;
	struct step_outcome out;
	FILE *f = fopen(log, "w+e");
	struct buf text;
	struct why w;

	(void)state;
	assert_non_null(f);
	fd = fileno(f);
	if (sandbox_probe(NULL)) {
		fclose(f);
		close(kept);
		free(log);
	}
	NEEDS_SANDBOX();
	fflush(stdout);
	dup2(fd, 1);
	expect("CONFIG_MODE=\"spy\"\n", false, FAIL_BUILD, "the build failed", &out);
	dup2(kept, 1);
	close(kept);
	fclose(f);
	buf_init(&text, 1 << 20);
	assert_int_equal(file_read(log, &text, &w), OK);
	assert_non_null(strstr(text.data, "HOME=/tmp"));
	assert_null(strstr(text.data, "the-token"));
	assert_null(strstr(text.data, "FOLDWATCH_TEST_SECRET"));
	assert_non_null(strstr(text.data, "Read-only file system"));
	step_outcome_release(&out);
	buf_release(&text);
	free(log);
}

static void test_limits(void **state)
{
	int64_t time = bed.conf.build_timeout_s, disk = bed.conf.build_max_bytes, before;
	struct step_outcome out;
	char *half;

	(void)state;
	NEEDS_SANDBOX();
	bed.conf.build_timeout_s = 3;
	before = clock_mono_ns();
	expect("CONFIG_MODE=\"slow\"\n", false, FAIL_BUILD, "the build did not end within 3 s",
	       &out);
	assert_true(clock_mono_ns() - before < 30 * NS_PER_S);
	step_outcome_release(&out);
	bed.conf.build_timeout_s = time;
	/* It was ended in the middle: what it left is not taken for good. */
	half = xasprintf("find '%s/builds' -name half.o | grep -q .", bed.dir);
	run_ok(NULL, "sh", "-c", half, NULL);
	free(half);
	bed.conf.build_timeout_s = 3;
	half = xasprintf("n=$(find '%s/builds' -name open | wc -l); test $n = 1", bed.dir);
	run_ok(NULL, "sh", "-c", half, NULL);
	free(half);
	bed.conf.build_timeout_s = time;

	bed.conf.build_max_bytes = 16 << 20;
	expect("CONFIG_MODE=\"fill\"\n", false, FAIL_BUILD, "", &out);
	step_outcome_release(&out);
	bed.conf.build_max_bytes = disk;
}

static void test_interrupted_begins_anew(void **state)
{
	struct step_outcome out;
	char *script;

	(void)state;
	NEEDS_SANDBOX();
	expect("CONFIG_C=y\n", false, FAIL_NONE, "", &out);
	step_outcome_release(&out);
	script = xasprintf("for d in '%s'/builds/*/o/*; do touch $d/open $d/out/torn.o; done",
	                   bed.dir);
	run_ok(NULL, "sh", "-c", script, NULL);
	free(script);
	expect("CONFIG_C=y\n", false, FAIL_NONE, "", &out);
	assert_int_equal(json_int(out.body, "objects", 0), 1); /* torn.o is gone */
	step_outcome_release(&out);
}

/* A commit that changes no file that Kconfig reads keeps the configuration;
 * one that does makes it anew. */
static void test_configuration_stands(void **state)
{
	static const struct {
		const char *path;
		bool made;
	} changes[] = {
	        {"k.c", false}, {"sub/Kconfig.more", true}, {"scripts/x", true}, {"mm/a.c", false}};
	char first[41], *stamp, *script;
	struct step_outcome out;
	size_t i;

	(void)state;
	NEEDS_SANDBOX();
	memcpy(first, commit, sizeof(first));
	expect("CONFIG_D=y\n", false, FAIL_NONE, "", &out);
	step_outcome_release(&out);
	/* allnoconfig would take this line away again. */
	stamp = xasprintf("for d in '%s'/builds/*/o/*/out; do echo '# kept' >> $d/.config; done",
	                  bed.dir);
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		run_ok(NULL, "sh", "-c", stamp, NULL);
		script = xasprintf("export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t "
		                   "GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t "
		                   "GIT_COMMITTER_EMAIL=t@t; mkdir -p $(dirname %s) && echo "
		                   "'/* x */' >> %s && git add -A && git commit -q -m x",
		                   changes[i].path, changes[i].path);
		run_ok(origin, "sh", "-c", script, NULL);
		free(script);
		run_line(commit, sizeof(commit), origin, "git", "rev-parse", "HEAD", NULL);
		expect("CONFIG_D=y\n", false, FAIL_NONE, "", &out);
		script = xasprintf("grep -l '^CONFIG_D' '%s'/builds/*/o/*/out/.config | xargs grep "
		                   "-c kept || true",
		                   bed.dir);
		{
			char line[256];

			run_line(line, sizeof(line), NULL, "sh", "-c", script, NULL);
			if ((line[0] == '0') != changes[i].made)
				fail_msg("%s: %s", changes[i].path, line);
		}
		free(script);
		step_outcome_release(&out);
	}
	free(stamp);
	memcpy(commit, first, sizeof(first));
}

/* ---- layouts */

struct laid {
	char section_hash[65], first[32], code[2048];
	int64_t gaps, bytes, objects;
};

/* The kernel in a layout: where first() lies, and what its functions are made of. */
static void lay(int64_t layout, struct laid *out)
{
	struct step_outcome o = {.fail = FAIL_NONE};
	json_t *s = spec("CONFIG_MODE=\"gaps\"\n", false);
	struct why w = {""};
	char *vmlinux, *script;

	json_put_int(s, "layout", layout);
	if (step_build(bed_job(&bed, s), &o, &w) || o.fail)
		fail_msg("layout %d: %s%s", (int)layout, w.text, o.fail ? o.why.text : "");
	assert_int_equal(json_int(o.body, "layout", -1), layout);
	out->gaps = json_int(o.body, "gaps", -1);
	out->bytes = json_int(o.body, "gap_bytes", -1);
	snprintf(out->section_hash, sizeof(out->section_hash), "%s",
	         json_str(o.body, "section_hash", ""));
	vmlinux = path_join(bed.job_dir, "vmlinux");
	run_line(out->first, sizeof(out->first), NULL, "sh", "-c",
	         "aarch64-linux-gnu-nm -S \"$0\" | grep ' T first$'", vmlinux, NULL);
	/* Without addresses; the rest of a line is instruction and operands. */
	script = xasprintf("aarch64-linux-gnu-objdump -d --no-addresses --disassemble=first '%s' | "
	                   "grep -v 'file format' | tr -s '\\n\\t ' ' '",
	                   vmlinux);
	run_line(out->code, sizeof(out->code), NULL, "sh", "-c", script, NULL);
	free(script);
	free(vmlinux);
	step_outcome_release(&o);
}

static void test_layouts(void **state)
{
	static const int64_t order[] = {0, 1, 2, 1, 0};
	struct laid l[5];
	struct step_outcome out;
	char *count;
	size_t i;

	(void)state;
	NEEDS_SANDBOX();
	for (i = 0; i < 5; i++)
		lay(order[i], &l[i]);
	assert_int_equal(l[0].gaps, 0);
	assert_int_equal(l[0].bytes, 0);
	for (i = 1; i < 4; i++) {
		assert_int_equal(l[i].gaps, 2); /* k.o and f.o */
		assert_true(l[i].bytes > 0);
		/* Elsewhere, of the same size, and the same instructions. */
		assert_string_not_equal(l[i].first, l[0].first);
		assert_string_equal(strchr(l[i].first, ' '), strchr(l[0].first, ' '));
		assert_string_equal(l[i].code, l[0].code);
		assert_non_null(strstr(l[0].code, "ret"));
	}
	assert_string_not_equal(l[1].first, l[2].first);
	/* A number always gives the same bytes, whatever was linked between. */
	assert_string_equal(l[3].section_hash, l[1].section_hash);
	assert_string_equal(l[4].section_hash, l[0].section_hash);
	assert_string_not_equal(l[1].section_hash, l[0].section_hash);
	/* Partial links take no gaps. */
	count = xasprintf("f=$(find '%s/builds' -name part.o); "
	                  "test $(aarch64-linux-gnu-size -A $f | awk '/^.text/ {print $2}') = "
	                  "$(aarch64-linux-gnu-size -A ${f%%/*}/f.o | awk '/^.text/ {print $2}')",
	                  bed.dir);
	run_ok(NULL, "sh", "-c", count, NULL);
	free(count);
	/* A tree whose link goes another way is told so. */
	{
		json_t *s = spec("CONFIG_A=y\n", false);
		struct why w;

		json_put_int(s, "layout", 1);
		out = (struct step_outcome){.fail = FAIL_NONE};
		assert_int_equal(step_build(bed_job(&bed, s), &out, &w), OK);
		assert_int_equal(out.fail, FAIL_BUILD);
		assert_non_null(strstr(out.why.text, "takes no gaps"));
		s = spec("CONFIG_A=y\n", false);
		json_put_int(s, "layout", 8);
		assert_int_not_equal(step_build(bed_job(&bed, s), &out, &w), OK);
		assert_non_null(strstr(w.text, "spec.layout"));
	}
}

static void test_wrong_specs(void **state)
{
	struct step_outcome out = {.fail = FAIL_NONE};
	json_t *s = spec("CONFIG_A=y\n", false);
	struct why w;

	(void)state;
	NEEDS_SANDBOX();
	json_put_str(s, "toolchain", "none");
	assert_int_not_equal(step_build(bed_job(&bed, s), &out, &w), OK);
	assert_non_null(strstr(w.text, "no toolchain \"none\""));
	s = spec("CONFIG_A=y\n", false);
	json_put_str(s, "commit", "0000000000000000000000000000000000000001");
	assert_int_equal(step_build(bed_job(&bed, s), &out, &w), OK);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_non_null(strstr(out.why.text, "has no commit"));
	s = spec("CONFIG_A=y\n", false);
	json_object_del(s, "config");
	assert_int_not_equal(step_build(bed_job(&bed, s), &out, &w), OK);
	assert_non_null(strstr(w.text, "spec.config: missing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_no_sandbox),
	        cmocka_unit_test(test_builds),
	        cmocka_unit_test(test_whole_config),
	        cmocka_unit_test(test_does_not_build),
	        cmocka_unit_test(test_sees_no_secret),
	        cmocka_unit_test(test_builds_a_patch),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_interrupted_begins_anew),
	        cmocka_unit_test(test_configuration_stands),
	        cmocka_unit_test(test_layouts),
	        cmocka_unit_test(test_wrong_specs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
