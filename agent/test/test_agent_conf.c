/* The configuration: what is read, what is refused with its line, and that
 * every key stands in the man page. */
#include "agent/agent_conf.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOP                         \
	"token_file = /etc/token\n" \
	"dir = /var/lib/agent\n"
#define GCC "[toolchain gcc]\n"

static enum err load(const char *text, size_t len, struct agent_conf *c, struct why *w)
{
	char path[] = "/tmp/fw-conf-XXXXXX";
	int fd = mkstemp(path);
	enum err e;

	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	e = agent_conf_load(path, c, w);
	unlink(path);
	return e;
}

static void test_presets(void **state)
{
	static const char text[] = TOP "name = a\n" GCC;
	struct agent_conf c;
	struct why w;

	(void)state;
	assert_int_equal(load(text, strlen(text), &c, &w), OK);
	assert_string_equal(c.server, "http://127.0.0.1:8080");
	assert_true(c.builds);
	assert_int_equal(c.build_jobs, 0);
	assert_int_equal(c.build_timeout_s, 7200);
	assert_int_equal(c.fetch_max_bytes, INT64_C(8) << 30);
	assert_int_equal(c.disk_reserve_bytes, 512 << 20);
	assert_int_equal(c.trees.count, 1);
	assert_string_equal(c.trees.items[0], "https://");
	assert_int_equal(c.trusted_trees.count, 0);
	assert_null(c.foldbench);
	assert_int_equal(c.toolchains, 1);
	assert_string_equal(c.toolchain[0].name, "gcc");
	assert_string_equal(c.toolchain[0].cross, "");
	assert_string_equal(c.toolchain[0].compiler, "gcc");
	assert_int_equal(c.boards, 0);
	agent_conf_release(&c);
}

static void test_all(void **state)
{
	static const char text[] =
	        "# an agent\n" TOP "name = rack-2.b_1\nserver = https://example.org:8443/\n"
	        "foldbench = /usr/lib/foldbench\nbuilds = yes\nbuild_jobs = 3\n"
	        "ccache_bytes = 0\ntrees = file:///srv/ https://git.kernel.org/\n"
	        "trees = git://x/\ntrusted_trees = file:///srv/linux.git\n"
	        "[toolchain gcc]\ncross = aarch64-linux-gnu-\n"
	        "[toolchain clang-16]\ncompiler = clang-16\n"
	        "[board det]\nlabels = virtual ci\n"
	        "[board fast]\nkind = qemu\nprofile = fast\nqemu = /opt/qemu\nuntrusted = no\n";
	struct agent_conf c;
	struct why w;

	(void)state;
	assert_int_equal(load(text, strlen(text), &c, &w), OK);
	assert_string_equal(c.name, "rack-2.b_1");
	assert_string_equal(c.server, "https://example.org:8443");
	assert_int_equal(c.ccache_bytes, 0);
	/* what is given replaces the preset */
	assert_int_equal(c.trees.count, 3);
	assert_string_equal(c.trees.items[0], "file:///srv/");
	assert_int_equal(c.toolchains, 2);
	assert_string_equal(c.toolchain[0].cross, "aarch64-linux-gnu-");
	assert_string_equal(c.toolchain[1].compiler, "clang-16");
	assert_int_equal(c.boards, 2);
	assert_int_equal(c.board[0].profile, PROFILE_DETERMINISTIC);
	assert_string_equal(c.board[0].qemu, "qemu-system-aarch64");
	assert_true(c.board[0].untrusted);
	assert_int_equal(c.board[0].labels.count, 2);
	assert_int_equal(c.board[1].profile, PROFILE_FAST);
	assert_false(c.board[1].untrusted);
	agent_conf_release(&c);
}

static void test_host_name(void **state)
{
	static const char text[] = TOP GCC;
	char host[80] = "";
	struct agent_conf c;
	struct why w;

	(void)state;
	gethostname(host, sizeof(host) - 1);
	if (load(text, strlen(text), &c, &w) == OK) {
		assert_string_equal(c.name, host);
		agent_conf_release(&c);
	} else {
		assert_non_null(strstr(w.text, "name: expected"));
	}
}

static const struct refused {
	const char *text, *why; /* the sentence after the file's name */
} refused[] = {
        {"", ": token_file: must be given"},
        {"dir = /d\n" GCC, ": token_file: must be given"},
        {"token_file = /t\n" GCC, ": dir: must be given"},
        {TOP GCC "[toolchain gcc]\n", ":4: section [toolchain gcc] is given twice"},
        {"token_file = /t\ndir = relative\n" GCC, ":2: dir: expected an absolute path"},
        {TOP "colour = red\n", ":3: "},
        {TOP "dir = /d\n", ":3: "},
        {TOP "build_timeout_s = 0\n", ":3: "},
        {TOP "build_timeout_s = soon\n", ":3: "},
        {TOP "builds = perhaps\n", ":3: "},
        {TOP "server = ftp://example\n" GCC, ":3: server: expected http"},
        {TOP "server = http://u:p@x\n" GCC, ":3: server: expected an address without user"},
        {TOP "server = http://\n" GCC, ":3: server: "},
        {TOP "name = a/b\n" GCC, ":3: name: expected"},
        {TOP "name = -x\n" GCC, ":3: name: expected"},
        {TOP "trees = anything\n" GCC, ":3: trees: expected prefixes"},
        {TOP "builds = no\n", ":3: builds: the agent would have nothing to do"},
        {TOP, ": builds: builds need a toolchain"},
        {TOP GCC "[board b]\n", ": foldbench: must be given"},
        {TOP "foldbench = here\n" GCC "[board b]\n", ":3: foldbench: expected an absolute path"},
        {TOP GCC "cross = /usr/bin/evil \n", ":4: cross: expected letters"},
        {TOP GCC "compiler = rm\n", ":4: compiler: expected gcc or clang"},
        {TOP GCC "compiler = gcc;ls\n", ":4: compiler: expected gcc or clang"},
        {TOP "foldbench = /f\n" GCC "[board b]\nkind = toaster\n", ":6: "},
        {TOP "foldbench = /f\n" GCC "[board b]\nlabels = a b=c\n", ":6: labels: expected words"},
        {TOP "foldbench = /f\n" GCC "[board ..]\n", ":5: "},
        {TOP "foldbench = /f\n" GCC "[board b]\n[board b]\n",
         ":6: section [board b] is given twice"},
        {TOP "foldbench = /f\n" GCC "[toaster x]\n", ":5: "},
        {TOP GCC "compiler = \xff\xfe\n", ":4: "},
};

static void test_refused(void **state)
{
	struct agent_conf c;
	struct why w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		char want[128];
		const char *after;

		if (load(refused[i].text, strlen(refused[i].text), &c, &w) != ERR_INPUT)
			fail_msg("taken: %s", refused[i].text);
		assert_true(str_starts(w.text, "/tmp/fw-conf-"));
		after = w.text + strlen("/tmp/fw-conf-XXXXXX");
		snprintf(want, sizeof(want), "%s", refused[i].why);
		if (!str_starts(after, want))
			fail_msg("\"%s\" does not begin with \"%s\"", after, want);
	}
}

static void test_foreign_bytes(void **state)
{
	static const char nul[] = TOP "name = a\0b\n";
	struct agent_conf c;
	struct why w;
	char *huge = xmalloc(2 << 20);

	(void)state;
	assert_int_equal(load(nul, sizeof(nul) - 1, &c, &w), ERR_INPUT);
	memset(huge, '#', 2 << 20);
	assert_int_equal(load(huge, 2 << 20, &c, &w), ERR_TOO_LARGE);
	free(huge);
	assert_int_equal(agent_conf_load("/nonexistent/agent.conf", &c, &w), ERR_NOT_FOUND);
	assert_non_null(strstr(w.text, "/nonexistent/agent.conf"));
	assert_int_equal(agent_conf_load("/tmp", &c, &w), ERR_IO);
}

static void test_too_many(void **state)
{
	struct agent_conf c;
	struct buf b;
	struct why w;

	(void)state;
	buf_init(&b, 1 << 16);
	buf_adds(&b, TOP "foldbench = /f\n" GCC);
	for (int i = 0; i <= AGENT_BOARDS; i++)
		buf_addf(&b, "[board b%d]\n", i);
	assert_int_equal(load(b.data, b.len, &c, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "more than 16 boards"));
	buf_release(&b);
}

/* Each key has its own paragraph, and the man page has no other. */
static void test_man_page(void **state)
{
	struct buf man;
	struct why w;
	size_t keys = 0, paragraphs = 0;

	(void)state;
	buf_init(&man, 1 << 20);
	if (file_read("docs/man/foldwatch-agent.conf.5", &man, &w) != OK)
		fail_msg("%s", w.text);
	for (int i = 0; i < AGENT_SECTIONS; i++) {
		for (const struct conf_key *k = agent_conf_keys((enum agent_section)i); k->name;
		     k++) {
			char want[80];

			keys++;
			snprintf(want, sizeof(want), "\n.It Cm %s\n", k->name);
			if (!strstr(man.data, want))
				fail_msg("%s does not stand in the man page", k->name);
			assert_non_null(k->help);
		}
	}
	for (const char *p = man.data; (p = strstr(p, "\n.It Cm ")); p++)
		paragraphs++;
	assert_int_equal(keys, paragraphs);
	buf_release(&man);
}

/* A default that the man page names is the table's. */
static void test_man_page_defaults(void **state)
{
	struct buf man;
	struct why w;

	(void)state;
	buf_init(&man, 1 << 20);
	if (file_read("docs/man/foldwatch-agent.conf.5", &man, &w) != OK)
		fail_msg("%s", w.text);
	for (int i = 0; i < AGENT_SECTIONS; i++) {
		for (const struct conf_key *k = agent_conf_keys((enum agent_section)i); k->name;
		     k++) {
			char head[80], want[80], *from, *to, keep;

			if (!k->preset || !k->preset[0])
				continue;
			snprintf(head, sizeof(head), "\n.It Cm %s\n", k->name);
			snprintf(want, sizeof(want), ".Sy %s ", k->preset);
			from = strstr(man.data, head);
			assert_non_null(from);
			to = strstr(from + 1, "\n.It ");
			if (!to)
				to = strstr(from + 1, "\n.El");
			keep = *to;
			*to = '\0';
			if (!strstr(from, want) &&
			    (want[strlen(want) - 1] = '\n', !strstr(from, want)))
				fail_msg("the man page does not say that %s is %s", k->name,
				         k->preset);
			*to = keep;
		}
	}
	buf_release(&man);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_presets),       cmocka_unit_test(test_all),
	        cmocka_unit_test(test_host_name),     cmocka_unit_test(test_refused),
	        cmocka_unit_test(test_foreign_bytes), cmocka_unit_test(test_too_many),
	        cmocka_unit_test(test_man_page),      cmocka_unit_test(test_man_page_defaults),
	};

	return cmocka_run_group_tests_name("agent_conf", tests, NULL, NULL);
}
