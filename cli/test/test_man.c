/* docs/man/foldwatch.1 against the tables: what is missing, and what is stale. */
#include "cli/cli.h"

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/test/tmpdir.h"

#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE "docs/man/foldwatch.1"

static char *page;

static int setup(void **state)
{
	(void)state;
	page = get_file(PAGE);
	return page ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(page);
	return 0;
}

/* From the line "heading" to the next line of its kind or above; free() it. */
static char *section(const char *kind, const char *heading)
{
	char *line = xasprintf("\n%s %s\n", kind, heading);
	const char *begin = strstr(page, line), *end = NULL, *part;

	free(line);
	if (!begin)
		return NULL;
	begin++;
	part = strstr(begin, "\n.Sh ");
	end = part;
	part = str_eq(kind, ".Ss") ? strstr(begin, "\n.Ss ") : NULL;
	if (part && (!end || part < end))
		end = part;
	return end ? xstrndup(begin, (size_t)(end - begin)) : xstrdup(begin);
}

/* The rest of the line ".It Fl Fl NAME", or NULL. Borrowed. */
static const char *item(const char *text, const char *name)
{
	char *line = xasprintf("\n.It Fl Fl %s", name);
	const char *at = strstr(text, line);
	size_t n = strlen(line);

	while (at && at[n] != '\n' && at[n] != ' ') /* "baseline" is not "base" */
		at = strstr(at + n, line);
	free(line);
	return at ? at + n : NULL;
}

static void check_option(const char *where, const char *text, const struct cli_opt *o)
{
	const char *rest = item(text, o->name);

	if (!rest)
		fail_msg(PAGE ": %s: --%s is missing", where, o->name);
	if ((o->kind == OPT_FLAG) != (*rest == '\n'))
		fail_msg(PAGE ": %s: --%s %s a value", where, o->name,
		         o->kind == OPT_FLAG ? "takes no" : "takes");
}

static void check_stale(const char *where, const char *text, const struct cli_opt *known)
{
	static const char it[] = "\n.It Fl Fl ";

	for (const char *at = strstr(text, it); at; at = strstr(at + 1, it)) {
		const char *name = at + strlen(it);
		size_t n = strcspn(name, " \n");
		bool found = n == 4 && memcmp(name, "help", 4) == 0;

		for (const struct cli_opt *o = known; o && o->name; o++)
			found |= strlen(o->name) == n && memcmp(o->name, name, n) == 0;
		if (!found)
			fail_msg(PAGE ": %s: there is no --%.*s", where, (int)n, name);
	}
}

static void has_every_command_and_option(void **state)
{
	(void)state;
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		char *text = section(".Ss", (*c)->name);

		if (!text)
			fail_msg(PAGE ": .Ss %s is missing", (*c)->name);
		for (const struct cli_opt *o = (*c)->opts; o && o->name; o++)
			check_option((*c)->name, text, o);
		check_stale((*c)->name, text, (*c)->opts);
		free(text);
	}
}

static void has_no_other_command(void **state)
{
	static const char ss[] = "\n.Ss ";

	(void)state;
	for (const char *at = strstr(page, ss); at; at = strstr(at + 1, ss)) {
		const char *name = at + strlen(ss);
		size_t n = strcspn(name, "\n");
		bool found = false;

		for (const struct cli_command *const *c = cli_commands; *c; c++)
			found |= strlen((*c)->name) == n && memcmp((*c)->name, name, n) == 0;
		if (!found)
			fail_msg(PAGE ": there is no command %.*s", (int)n, name);
	}
}

static void has_the_common_options(void **state)
{
	char *text = section(".Sh", "DESCRIPTION"), *first;

	(void)state;
	assert_non_null(text);
	first = strstr(text, "\n.Ss ");
	assert_non_null(first);
	*first = '\0';
	for (const struct cli_opt *o = cli_common_opts; o->name; o++)
		check_option("DESCRIPTION", text, o);
	check_stale("DESCRIPTION", text, cli_common_opts);
	free(text);
}

static void has_every_exit_status(void **state)
{
	char *text = section(".Sh", "EXIT STATUS");

	(void)state;
	assert_non_null(text);
	for (int e = OK; e < ERR_COUNT; e++) {
		char *line = xasprintf("\n.It %d\n", err_exit_code((enum err)e));

		if (!strstr(text, line))
			fail_msg(PAGE ": exit status %d (%s) is missing",
			         err_exit_code((enum err)e), err_name((enum err)e));
		free(line);
	}
	free(text);
}

/* Every variable that the sources of cli/ ask for. */
static void has_every_variable(void **state)
{
	char *text = section(".Sh", "ENVIRONMENT");
	size_t found = 0;
	glob_t g;

	(void)state;
	assert_non_null(text);
	assert_int_equal(glob("cli/*.c", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		char *source = get_file(g.gl_pathv[i]);
		static const char call[] = "getenv(\"";

		for (const char *at = strstr(source, call); at; at = strstr(at + 1, call)) {
			const char *name = at + strlen(call);
			char *line = xasprintf("\n.It Ev %.*s\n", (int)strcspn(name, "\""), name);

			if (!strstr(text, line))
				fail_msg(PAGE ": ENVIRONMENT lacks%s", line);
			found++;
			free(line);
		}
		free(source);
	}
	assert_true(found >= 3);
	globfree(&g);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(has_every_command_and_option),
	        cmocka_unit_test(has_no_other_command),
	        cmocka_unit_test(has_the_common_options),
	        cmocka_unit_test(has_every_exit_status),
	        cmocka_unit_test(has_every_variable),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
