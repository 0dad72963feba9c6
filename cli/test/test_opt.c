/* The option tables: every kind, both spellings, and what is refused. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct opts {
	bool flag;
	const char *text, *needed;
	int64_t number;
	double real;
	struct conf_list list;
};

static const struct cli_opt table[] = {
        {"flag", OPT_FLAG, offsetof(struct opts, flag), NULL, "h", 0, 0, false},
        {"text", OPT_TEXT, offsetof(struct opts, text), "TEXT", "h", 0, 0, false},
        {"number", OPT_INT, offsetof(struct opts, number), "N", "h", -5, 100, false},
        {"real", OPT_REAL, offsetof(struct opts, real), "PCT", "h", 0, 100, false},
        {"list", OPT_LIST, offsetof(struct opts, list), "ITEM", "h", 0, 0, false},
        {0},
};
static const struct cli_opt must_table[] = {
        {"needed", OPT_TEXT, offsetof(struct opts, needed), "NAME", "h", 0, 0, true},
        {"list", OPT_LIST, offsetof(struct opts, list), "ITEM", "h", 0, 0, true},
        {0},
};
static const struct cli_command any = {
        .name = "any", .args = "A [B]", .opts = table, .size = sizeof(struct opts), .max_args = 2};
static const struct cli_command must = {
        .name = "must", .opts = must_table, .size = sizeof(struct opts)};
static const struct cli_command two = {
        .name = "two", .args = "A B", .min_args = 2, .max_args = 2, .local = true};

struct parsed {
	enum err e;
	struct opts o;
	struct cli cli;
	char *rest[16];
	int count;
	bool help;
	struct why w;
};

/* Words up to NULL, as the shell would hand them over. */
static void parse(const struct cli_command *cmd, struct parsed *p, ...)
{
	char *argv[16] = {(char *)"cmd"};
	int argc = 1;
	va_list ap;

	memset(p, 0, sizeof(*p));
	va_start(ap, p);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	p->e = cli_parse(cmd, &p->cli, argc, argv, &p->o, p->rest, &p->count, &p->help, &p->w);
}

#define done(cmd, p) cli_release_opts(cmd, &(p)->o)

static void refused(const struct cli_command *cmd, struct parsed *p, const char *has)
{
	assert_int_equal(p->e, ERR_INPUT);
	if (!strstr(p->w.text, has))
		fail_msg("\"%s\" does not say \"%s\"", p->w.text, has);
	done(cmd, p);
}

static void takes_every_kind(void **state)
{
	struct parsed p;

	(void)state;
	parse(&any, &p, "--flag", "--text", "a b", "--number", "-5", "--real", "0.25", "--list",
	      "one", "--list", "two", "x", NULL);
	assert_int_equal(p.e, OK);
	assert_true(p.o.flag);
	assert_string_equal(p.o.text, "a b");
	assert_int_equal(p.o.number, -5);
	assert_true(p.o.real == 0.25);
	assert_int_equal(p.o.list.count, 2);
	assert_string_equal(p.o.list.items[0], "one");
	assert_string_equal(p.o.list.items[1], "two");
	assert_int_equal(p.count, 1);
	assert_string_equal(p.rest[0], "x");
	done(&any, &p);
	assert_int_equal(p.o.list.count, 0);

	parse(&any, &p, "x", "--text=a=b", "--number=100", "--real=1e1", "--list=", "y", NULL);
	assert_int_equal(p.e, OK);
	assert_string_equal(p.o.text, "a=b");
	assert_int_equal(p.o.number, 100);
	assert_true(p.o.real == 10);
	assert_int_equal(p.o.list.count, 1);
	assert_string_equal(p.o.list.items[0], "");
	assert_int_equal(p.count, 2);
	done(&any, &p);
}

static void the_last_text_wins(void **state)
{
	struct parsed p;

	(void)state;
	parse(&any, &p, "--text", "a", "--text=b", NULL);
	assert_int_equal(p.e, OK);
	assert_string_equal(p.o.text, "b");
	/* a value may look like an option */
	parse(&any, &p, "--text", "--flag", NULL);
	assert_string_equal(p.o.text, "--flag");
	assert_false(p.o.flag);
	parse(&any, &p, "--text=", NULL);
	assert_string_equal(p.o.text, "");
}

static void dashes_end_options(void **state)
{
	struct parsed p;

	(void)state;
	parse(&any, &p, "--flag", "--", "--text", "--", NULL);
	assert_int_equal(p.e, OK);
	assert_true(p.o.flag);
	assert_null(p.o.text);
	assert_int_equal(p.count, 2);
	assert_string_equal(p.rest[0], "--text");
	assert_string_equal(p.rest[1], "--");
	/* standard input's name is an argument */
	parse(&any, &p, "-", NULL);
	assert_int_equal(p.e, OK);
	assert_string_equal(p.rest[0], "-");
}

static void refuses_what_is_unknown(void **state)
{
	struct parsed p;

	(void)state;
	parse(&any, &p, "--flags", NULL);
	refused(&any, &p, "unknown option \"--flags\" of \"foldwatch any\"; `foldwatch help any`");
	parse(&any, &p, "--fla", NULL);
	refused(&any, &p, "\"--fla\"");
	parse(&any, &p, "--tex=x", NULL);
	refused(&any, &p, "\"--tex\"");
	parse(&any, &p, "-f", NULL);
	refused(&any, &p, "\"-f\"");
	parse(&any, &p, "--=x", NULL);
	refused(&any, &p, "\"--\"");
	parse(&two, &p, "a", "b", "--flag", NULL);
	refused(&two, &p, "\"--flag\"");
	/* Nothing is replaced in what the server is told; a file's name may be anything. */
	parse(&two, &p, "a", "m\xff", NULL);
	refused(&two, &p, "argument 2 of \"foldwatch two\" is not UTF-8");
	parse(&any, &p, "--text", "\xc3", NULL);
	refused(&any, &p, "argument 2 of \"foldwatch any\" is not UTF-8");
	parse(&any, &p, "--text=\xed\xa0\x80", NULL);
	refused(&any, &p, "argument 1 of");
	/* a command that talks to no server takes no server */
	parse(&two, &p, "a", "b", "--server", "http://x", NULL);
	refused(&two, &p, "\"--server\"");
}

static void refuses_values(void **state)
{
	static const char *const reals[] = {"",    "x",  "1x",  "nan", "inf",
	                                    "0x1", " 1", "101", "-1",  "1e999"};
	static const char *const numbers[] = {
	        "", "x", "1.5", "101", "-6", " 1", "1 ", "0x10", "99999999999999999999"};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reals); i++) {
		parse(&any, &p, "--real", reals[i], NULL);
		refused(&any, &p, "--real: expected a number");
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		parse(&any, &p, "--number", numbers[i], NULL);
		refused(&any, &p, "--number: ");
	}
	parse(&any, &p, "--flag=yes", NULL);
	refused(&any, &p, "--flag takes no value");
	parse(&any, &p, "--list", "a", "--text", NULL);
	refused(&any, &p, "--text needs a value: TEXT");
}

static void asks_for_what_must_be_there(void **state)
{
	struct parsed p;

	(void)state;
	parse(&must, &p, NULL);
	refused(&must, &p, "\"foldwatch must\" needs --needed NAME");
	parse(&must, &p, "--needed", "x", NULL);
	refused(&must, &p, "needs --list ITEM");
	parse(&must, &p, "--needed", "x", "--list", "y", NULL);
	assert_int_equal(p.e, OK);
	done(&must, &p);
	parse(&must, &p, "--needed", "x", "--list", "y", "z", NULL);
	refused(&must, &p, "\"foldwatch must\" does not take \"z\"");
	parse(&two, &p, "a", NULL);
	refused(&two, &p, "\"foldwatch two\" needs A B");
	parse(&two, &p, "a", "b", NULL);
	assert_int_equal(p.e, OK);
}

static void common_options_go_to_the_frame(void **state)
{
	struct parsed p;

	(void)state;
	parse(&any, &p, "--server=http://h", "--token-file", "f", "--json", NULL);
	assert_int_equal(p.e, OK);
	assert_string_equal(p.cli.server, "http://h");
	assert_string_equal(p.cli.token_file, "f");
	assert_true(p.cli.json);
	parse(&two, &p, "a", "b", "--json", NULL);
	assert_int_equal(p.e, OK);
	assert_true(p.cli.json);
	/* help comes before what is missing */
	parse(&must, &p, "--help", NULL);
	assert_int_equal(p.e, OK);
	assert_true(p.help);
	parse(&must, &p, "-h", NULL);
	assert_true(p.help);
	parse(&must, &p, "--needed", "x", "--list=y", "--", "--help", NULL);
	refused(&must, &p, "does not take \"--help\"");
}

/* What a mistake in a table would do at run time. */
static void tables_are_sound(void **state)
{
	(void)state;
	for (const struct cli_command *const *c = cli_commands; *c; c++) {
		assert_non_null((*c)->run);
		assert_non_null((*c)->summary);
		assert_non_null((*c)->help);
		assert_non_null(strstr((*c)->help, "example"));
		assert_true((*c)->max_args < 0 || (*c)->max_args >= (*c)->min_args);
		assert_true((*c)->max_args == 0 || (*c)->args);
		for (const struct cli_opt *o = (*c)->opts; o && o->name; o++) {
			assert_true(o->offset < (*c)->size);
			assert_true((o->kind == OPT_FLAG) == !o->arg);
			assert_true(o->kind == OPT_INT || o->kind == OPT_REAL ||
			            !(o->min || o->max));
			assert_true(o->kind != OPT_INT || o->min < o->max);
			for (const struct cli_opt *p = cli_common_opts; p->name; p++)
				assert_string_not_equal(o->name, p->name);
			for (const struct cli_opt *p = (*c)->opts; p < o; p++)
				assert_string_not_equal(o->name, p->name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(takes_every_kind),
	        cmocka_unit_test(the_last_text_wins),
	        cmocka_unit_test(dashes_end_options),
	        cmocka_unit_test(refuses_what_is_unknown),
	        cmocka_unit_test(refuses_values),
	        cmocka_unit_test(asks_for_what_must_be_there),
	        cmocka_unit_test(common_options_go_to_the_frame),
	        cmocka_unit_test(tables_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
